# The same with another frame of the clip as the second view, optical flow as the warp.
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/datasets/actions_flow_64x64.py',
]
model = dict(
    data_preprocessor=dict(type='FramePairDataPreprocessor'),
    view_transform=dict(
        _delete_=True, type='OpticalFlowView', brightness=0.1, contrast=0.2
    ),
    warp_padded=False,
    losses=dict(separation=dict(bandwidth=0.06)),
)

val_evaluator = [
    dict(type='KeypointCollapseMetric'),
    dict(type='TemporalConsistencyMetric'),
]
test_evaluator = val_evaluator
