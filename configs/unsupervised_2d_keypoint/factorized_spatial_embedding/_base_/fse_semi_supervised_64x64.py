# Points that are annotated in a few images, and move with all of them: a light
# hourglass at 64x64 pixels under two losses of Thewlis and the distance to annotations.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/labeled_images_64x64.py',
    './light_views.py',
]

model = dict(
    backbone=dict(
        type='LMDISHourglass',
        encoder=((16,), (32,)),
        bottleneck=(32,),
        decoder=((32,), (16,), (16,)),
        stem_stride=2,
        skip_convolutions=1,
        norm_momentum=0.05,
    ),
    head=dict(in_channels=16, upsample_channels=()),
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
