# Cat heads, 10 keypoints.
_base_ = [
    '../_base_/lmdis_80x80.py',
    '../../../_base_/datasets/cats_146x146.py',
]
model = dict(
    losses=dict(
        reconstruction=dict(loss_weight=1e-4), equivariance=dict(loss_weight=5000.0)
    )
)
images = dict(pipeline=_base_.central_crop)
train_dataloader = dict(batch_size=16, dataset=images)
val_dataloader = dict(dataset=images)
test_dataloader = val_dataloader
val_evaluator = dict(variant='lmdis')
test_evaluator = val_evaluator
custom_hooks = [
    dict(
        type='LossWeightSchedule',
        losses=dict(reconstruction=[(0, 1e-4), (100000, 1e-3), (200000, 1e-2)]),
    )
]
