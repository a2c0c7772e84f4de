# Factorized spatial embeddings for a small machine: a light network at 64x64 pixels.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
    './light_views.py',
]

model = dict(
    # Two halvings only: keypoints are local, and follow the image from the start.
    backbone=dict(type='AutoLinkEncoder', channels=(32, 64)),
    head=dict(in_channels=64, upsample_channels=(32,)),
    losses=dict(
        equivariance=dict(type='EquivarianceLoss', loss_weight=10.0),
        # 1.6 on each view
        diversity=dict(
            type='DiversityLoss', window=4, both_views=True, loss_weight=3.2
        ),
    ),
    test_cfg=dict(untrained_control=True),
)

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=5.0),
)
param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=400, end=800, eta_min_ratio=0.05
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=800, val_interval=400)
