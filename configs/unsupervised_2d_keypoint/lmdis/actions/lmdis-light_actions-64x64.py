# 10 keypoints of people who exercise. They are slim: a smaller bandwidth keeps the
# keypoints on them.
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/datasets/actions_64x64.py',
]
model = dict(losses=dict(separation=dict(bandwidth=0.06)))

val_evaluator = [
    dict(type='KeypointCollapseMetric'),
    dict(type='TemporalConsistencyMetric'),
]
test_evaluator = val_evaluator
