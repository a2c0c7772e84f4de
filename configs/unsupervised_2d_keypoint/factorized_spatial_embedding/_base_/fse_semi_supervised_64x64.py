# Points that are annotated in a few images, and move with all of them: a light
# hourglass at 64x64 pixels under two losses of Thewlis and the distance to annotations.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/labeled_images_64x64.py',
]

model = dict(
    type='FactorizedSpatialEmbedding',
    data_preprocessor=dict(  # RGB in [-1, 1]
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True
    ),
    backbone=dict(
        type='LMDISHourglass',
        encoder=((16,), (32,)),
        bottleneck=(32,),
        decoder=((32,), (16,), (16,)),
        stem_stride=2,
        skip_convolutions=1,
        norm_momentum=0.05,
    ),
    head=dict(
        type='SoftArgmaxHead',
        in_channels=16,
        upsample_channels=(),
        padding='reflect',
        alignment='cell_centers',
        logit_scale=4.0,
    ),
    first_view_transform=dict(
        type='RandomThinPlateSpline',
        local_std=0.015,
        rotation_std=7.5,
        scale_std=0.05,
        translation_std=0.05,
        brightness=0.2,
        contrast=0.2,
    ),
    view_transform=dict(
        type='RandomThinPlateSpline',
        local_std=0.03,
        rotation_std=15.0,
        brightness=0.2,
        contrast=0.2,
    ),
    losses=dict(
        equivariance=dict(type='EquivarianceLoss', loss_weight=2.0),
        diversity=dict(
            type='DiversityLoss', window=4, both_views=True, loss_weight=0.2
        ),
        regression=dict(type='KeypointRegressionLoss', loss_weight=40.0),
    ),
)

adam = dict(type='AdamW', lr=4e-3, weight_decay=1e-4)
optim_wrapper = dict(optimizer=adam, clip_grad=dict(max_norm=5.0))
param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=300, end=600, eta_min_ratio=0.05
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=600, val_interval=600)
