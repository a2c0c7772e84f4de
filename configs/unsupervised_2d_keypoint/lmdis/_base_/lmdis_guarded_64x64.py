# LMDIS for one object before a background that its border's colors or a still camera
# tell, turned any way: the object is cut out and framed, and keypoints that cover it
# take the place of the reconstruction. Two minutes of one CPU core.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/cut_outs_64x64.py',
    './lmdis.py',
    './light_detector.py',
]

model = dict(
    backbone=_base_.light_backbone,
    head=dict(_base_.light_head, background_logit=1.5),
    view_transform=dict(
        type='RandomThinPlateSpline',
        local_std=0.006,
        rotation_std=180.0,
        brightness=0.1,
        contrast=0.2,
    ),
    losses=dict(
        figure=dict(
            type='FigureGroundLoss',
            loss_weight=500.0,
            mass_weight=0.2,
        ),
        coverage=dict(type='FigureCoverageLoss', loss_weight=3e4),
        concentration=dict(loss_weight=200.0),
        separation=dict(loss_weight=10.0),
        equivariance=dict(loss_weight=4e3),
    ),
)
optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=4e-3), clip_grad=dict(max_norm=1000.0)
)
steps = 400
param_scheduler = dict(
    type='CosineAnnealingLR',
    by_epoch=False,
    begin=2 * steps // 5,
    end=steps,
    eta_min_ratio=0.02,
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=steps, val_interval=steps)
