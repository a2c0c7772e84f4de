# StableKeypoints without a diffusion model, ours: tokens attend to the features of a
# frozen VGG16. Minutes on two CPU cores. Fewer tokens, a
# higher learning rate and wider Gaussians than published, and a lower weight of
# equivariance: with the published one all maps fade, as features say less of what a
# place is than a diffusion model does.
# A child adds the runtime and the size of the images.
model = dict(
    type='StableKeypoints',
    data_preprocessor=dict(  # RGB as Caffe's VGG16 expects it
        type='PoseDataPreprocessor',
        mean=[122.679, 116.669, 104.007],
        std=[1, 1, 1],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='FeatureAttention',
        backbone=dict(
            type='FrozenVGG',
            depth=16,
            layers=('relu3_3', 'relu4_3'),
            weights='data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz',
        ),
        in_channels=(256, 512),
    ),
    head=dict(
        type='TokenHead',
        num_tokens=50,
        token_width=768,
        map_size=(64, 64),
    ),
    view_transform=dict(
        type='RandomAffineWarp', preset='stable_keypoints', padding_mode='zeros'
    ),
    losses=dict(
        localization=dict(type='LocalizationLoss', sigma=3.0, loss_weight=100.0),
        equivariance=dict(type='MapEquivarianceLoss', loss_weight=30.0),
    ),
    train_cfg=dict(num_candidates=20, sigma=3.0),
    # The image itself: ten views, as published, take ten times as long.
    test_cfg=dict(num_views=0, view_map_size=(128, 128), untrained_control=True),
)

optim_wrapper = dict(optimizer=dict(type='Adam', lr=0.05))
param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=400, end=700, eta_min_ratio=0.05
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=700, val_interval=700)
custom_hooks = [dict(type='TokenSelectionHook', num_images=100)]
