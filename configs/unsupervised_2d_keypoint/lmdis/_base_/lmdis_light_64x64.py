# LMDIS for a small machine: light networks at 64x64 pixels in frames of 80, detector
# and image decoder at half of that, three widths of Gaussians, milder warps. Weights of
# the losses as published.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
    './lmdis.py',
    './light_detector.py',
]

momentum = _base_.momentum
small = _base_.light_hourglass
model = dict(
    backbone=_base_.light_backbone,
    head=_base_.light_head,
    generator=dict(
        type='LMDISGenerator',
        features=dict(
            encoder=((16,), (32,)),
            decoder=((32,), (16,), (16,)),
            stem_stride=2,
            final_activation=False,
            **small,
        ),
        decoder=dict(encoder=((24,), (32,)), decoder=((32,), (32,), (24,)), **small),
        sigmas=(0.0625, 0.125, 0.25),
        map_stride=2,
        norm_momentum=momentum,
    ),
    view_transform=dict(
        type='RandomLMDISWarp',
        offset_std=0.04,
        translation_range=0.2,
        scale_std=0.1,
        brightness=0.1,
        contrast=0.2,
    ),
    losses=dict(
        reconstruction=dict(type='SquaredErrorLoss', loss_weight=0.1),
    ),
)

optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=2e-3), clip_grad=dict(max_norm=1000.0)
)
param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=1500, end=2000, eta_min_ratio=0.05
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2000, val_interval=500)
