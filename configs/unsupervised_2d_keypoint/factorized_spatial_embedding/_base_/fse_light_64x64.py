# Factorized spatial embeddings for a small machine: a light network at 64x64 pixels,
# thin-plate splines as in the paper, and colour jitter, without which short trainings
# are unstable.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
]

model = dict(
    type='FactorizedSpatialEmbedding',
    data_preprocessor=dict(  # RGB in [-1, 1]
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True
    ),
    # Two halvings only: keypoints are local, and follow the image from the start.
    backbone=dict(type='AutoLinkEncoder', channels=(32, 64)),
    head=dict(
        type='SoftArgmaxHead',
        in_channels=64,
        upsample_channels=(32,),
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
