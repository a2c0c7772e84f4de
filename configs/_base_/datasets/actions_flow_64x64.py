# Pairs of frames of one clip and the optical flow between them, for the view transform
# OpticalFlowView. The model needs
#     data_preprocessor=dict(type='FramePairDataPreprocessor', ...)
# and LMDIS also warp_frames=False, as the flow is that of the image, not of its frame.
_base_ = ['actions_64x64.py']

flow_pipeline = [
    dict(type='LoadVerifiedImage'),
    # At 64 pixels DIS follows the hands over one or two frames, hardly over four.
    dict(type='LoadClipFrame', gap=(1, 2)),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(64, 64)),
    dict(type='ComputeOpticalFlow'),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=flow_pipeline))
