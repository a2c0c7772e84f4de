# AutoLink for a small machine, for 3,000 steps.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
    './autolink_equivariance.py',
]

param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=2000, end=3000, eta_min_ratio=0.05
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=3000, val_interval=1000)
