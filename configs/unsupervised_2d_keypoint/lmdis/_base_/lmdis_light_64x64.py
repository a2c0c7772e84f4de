# LMDIS for a small machine: light networks at 64x64 pixels in frames of 80, detector
# and image decoder at half of that, three widths of Gaussians, milder warps. Weights of
# the losses as published.
_base_ = ['../../../_base_/default_runtime.py']

# Published networks average over 1e4 steps, which short trainings do not have.
momentum = 0.05
small = dict(
    type='LMDISHourglass',
    bottleneck=(32,),
    skip_convolutions=1,
    norm_momentum=momentum,
)
model = dict(
    type='LMDIS',
    data_preprocessor=dict(  # RGB in [0, 1]
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    # Two halvings after the first: keypoints are local, and follow the image early.
    backbone=dict(
        encoder=((32,), (32,)), decoder=((32,), (32,), (32,)), stem_stride=2, **small
    ),
    head=dict(
        type='ChannelSoftmaxHead',
        in_channels=32,
        num_keypoints=10,
        padding=8,
        norm_momentum=momentum,
        logit_scale=4.0,
    ),
    generator=dict(
        type='LMDISGenerator',
        num_keypoints=10,
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
        concentration=dict(
            type='ConcentrationLoss',
            loss_weight=100.0,
            both_views=True,
        ),
        separation=dict(
            type='SeparationLoss',
            loss_weight=20.0,
            bandwidth=0.08,
            both_views=True,
        ),
        equivariance=dict(
            type='EquivarianceLoss',
            variant='means',
            loss_weight=1e4,
            keypoint_reduction='sum',
        ),
    ),
    test_cfg=dict(untrained_control=True),
)

optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=2e-3), clip_grad=dict(max_norm=1000.0)
)
param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=1500, end=2000, eta_min_ratio=0.05
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2000, val_interval=500)
