# LMDIS for figures on their feet before a plain background: the losses of
# lmdis_figure_64x64, coverage, by which each keypoint comes to lie on a limb, and a
# wide detector in bfloat16. Two to fifteen minutes of one CPU core.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
    './lmdis.py',
    './wide_detector.py',
]

model = dict(
    backbone=_base_.wide_backbone,
    head=dict(_base_.wide_head, background_logit=1.5),
    generator=dict(type='EdgeDrawing', thickness=2.5e-3, initial_edge_logit=-1.0),
    view_transform=dict(
        type='RandomThinPlateSpline',
        local_std=0.006,
        rotation_std=10.0,
        brightness=0.1,
        contrast=0.2,
    ),
    losses=dict(
        figure=dict(
            type='FigureGroundLoss',
            loss_weight=500.0,
            mass_weight=0.2,
            edge_weight=1.0,
        ),
        coverage=dict(type='FigureCoverageLoss', loss_weight=2e4),
        concentration=dict(loss_weight=200.0),
        separation=dict(loss_weight=10.0),
        equivariance=dict(loss_weight=4e3),
    ),
)
optim_wrapper = dict(
    type='MixedPrecisionOptimWrapper',
    dtype='bfloat16',
    optimizer=dict(type='Adam', lr=4e-3),
    clip_grad=dict(max_norm=1000.0),
    paramwise_cfg=dict(custom_keys={'edge_logits': dict(lr_mult=25)}),
)
param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=320, end=800, eta_min_ratio=0.02
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=800, val_interval=400)
