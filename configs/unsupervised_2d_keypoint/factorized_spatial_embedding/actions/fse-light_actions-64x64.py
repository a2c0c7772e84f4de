# 10 keypoints of people who exercise. They are slim: wider windows would put keypoints
# beside them.
_base_ = [
    '../_base_/fse_light_64x64.py',
    '../../../_base_/datasets/actions_64x64.py',
]
model = dict(losses=dict(equivariance=dict(loss_weight=5.0), diversity=dict(window=3)))

val_evaluator = [
    dict(type='KeypointCollapseMetric'),
    dict(type='TemporalConsistencyMetric'),
]
test_evaluator = val_evaluator
