# AutoLink for a small machine and slim objects, for 800 steps.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
    './autolink_equivariance.py',
]

model = dict(losses=dict(equivariance=dict(loss_weight=5.0), diversity=dict(window=3)))

param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=400, end=800, eta_min_ratio=0.05
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=800, val_interval=400)
