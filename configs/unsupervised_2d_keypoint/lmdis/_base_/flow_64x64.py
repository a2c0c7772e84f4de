# Pairs of frames of one clip and the optical flow between them as the second view. The
# flow is that of the image, not of its frame.
flow_pipeline = [
    dict(type='LoadVerifiedImage'),
    # At 64 pixels DIS follows the hands over one or two frames, hardly over four.
    dict(type='LoadClipFrame', gap=(1, 2)),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(64, 64)),
    dict(type='ComputeOpticalFlow'),
    dict(type='PackPoseInputs'),
]
flow = dict(
    data_preprocessor=dict(type='FramePairDataPreprocessor'),
    view_transform=dict(
        _delete_=True, type='OpticalFlowView', brightness=0.1, contrast=0.2
    ),
    warp_padded=False,
)
