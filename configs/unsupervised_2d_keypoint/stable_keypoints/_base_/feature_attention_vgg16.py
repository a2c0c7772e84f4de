# StableKeypoints without a diffusion model, ours: tokens attend to the features of a
# frozen VGG16, of images of 128x128 pixels. Minutes on two CPU cores.
_base_ = ['../../../_base_/default_runtime.py']

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
        num_tokens=100,
        num_keypoints=10,
        token_width=768,
        map_size=(64, 64),
    ),
    view_transform=dict(
        type='RandomAffineWarp', preset='stable_keypoints', padding_mode='zeros'
    ),
    losses=dict(
        localisation=dict(type='LocalisationLoss', sigma=2.0, loss_weight=100.0),
        equivariance=dict(type='MapEquivarianceLoss', loss_weight=1000.0),
    ),
    train_cfg=dict(num_candidates=25, num_selected=10, sigma=2.0),
    test_cfg=dict(num_views=10, view_map_size=(128, 128), untrained_control=True),
)

optim_wrapper = dict(optimizer=dict(type='Adam', lr=5e-3))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=500, val_interval=500)
custom_hooks = [dict(type='TokenSelectionHook', num_images=100)]
