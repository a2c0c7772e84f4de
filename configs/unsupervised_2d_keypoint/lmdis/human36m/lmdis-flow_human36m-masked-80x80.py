# The same with another frame of the clip as the second view and optical flow as the
# warp, as in the paper. Needs clips of consecutive frames, one folder each, which the
# simplified data set does not have.
_base_ = ['./lmdis_human36m-masked-80x80.py']
model = dict(
    data_preprocessor=dict(type='FramePairDataPreprocessor'),
    view_transform=dict(_delete_=True, type='OpticalFlowView'),
    warp_padded=False,
)
flow_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='LoadClipFrame', gap=(1, 3)),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(80, 80)),
    dict(type='ComputeOpticalFlow'),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(
    dataset=dict(
        data_root='work_dirs/datasets/human36m_masked_clips', pipeline=flow_pipeline
    )
)
