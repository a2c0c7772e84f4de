# Pairs of frames of one clip and the optical flow between them as the second view. The
# flow is that of the image, not of its frame.
flow_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='LoadClipFrame', gap=(1, 3)),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(80, 80)),
    dict(type='ComputeOpticalFlow'),
    dict(type='PackPoseInputs'),
]
flow = dict(
    data_preprocessor=dict(type='FramePairDataPreprocessor'),
    view_transform=dict(_delete_=True, type='OpticalFlowView'),
    warp_padded=False,
)
