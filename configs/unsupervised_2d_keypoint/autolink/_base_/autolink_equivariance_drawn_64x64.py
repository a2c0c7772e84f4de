# AutoLink for a small machine and drawn figures, for 800 steps: a narrow VGG at random
# weights compares them well enough, and needs no file.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
    './autolink_equivariance.py',
]

model = dict(
    generator=dict(mask_ratio=0.9),
    losses=dict(
        perceptual=dict(weights=None, base_channels=16, layer_weights=None),
        equivariance=dict(loss_weight=5.0),
    ),
)

optim_wrapper = dict(
    optimizer=dict(lr=2e-3),
    paramwise_cfg=dict(custom_keys={'edge_logits': dict(lr_mult=25)}),
)
param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=400, end=800, eta_min_ratio=0.05
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=800, val_interval=400)
