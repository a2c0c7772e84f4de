# StableKeypoints as published: 500 tokens, cross-attention of Stable Diffusion 1.5 at
# 512x512 pixels, 500 steps of 4 images. Only the tokens are learned, 384,000 numbers.
_base_ = ['../../../_base_/default_runtime.py']

model = dict(
    type='StableKeypoints',
    data_preprocessor=dict(  # RGB in [0, 1]: what lies outside of a view is black
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    # A folder with unet/, vae/ and scheduler/, or the name of a repository.
    backbone=dict(
        type='DiffusionAttention', base_model='sd-legacy/stable-diffusion-v1-5'
    ),
    head=dict(
        type='TokenHead',
        num_tokens=500,
        token_width=768,
        map_size=(128, 128),
    ),
    view_transform=dict(
        type='RandomAffineWarp', preset='stable_keypoints', padding_mode='zeros'
    ),
    losses=dict(
        localization=dict(type='LocalizationLoss', sigma=2.0, loss_weight=100.0),
        equivariance=dict(type='MapEquivarianceLoss', loss_weight=1000.0),
    ),
    train_cfg=dict(num_candidates=25, sigma=2.0),
    test_cfg=dict(num_views=10, view_map_size=(512, 512), untrained_control=True),
)

# The loop counts images: 2000 of them, one at a time, are 500 steps of Adam on 4.
optim_wrapper = dict(optimizer=dict(type='Adam', lr=5e-3), accumulative_counts=4)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2000, val_interval=2000)
custom_hooks = [dict(type='TokenSelectionHook', num_images=100)]

# The image, or its box, whole; never mirrored.
batch_size = 1
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(512, 512)),
    dict(type='PackPoseInputs'),
]
# With ten views an image, validation after training takes some images, a test all.
sample = dict(max_fit=200, max_score=200)
