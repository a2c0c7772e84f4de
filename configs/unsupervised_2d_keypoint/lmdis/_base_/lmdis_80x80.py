# LMDIS as published for CelebA with 10 keypoints: crops of 80 pixels in frames of 96,
# batch 16, Adam for 250,000 steps, a reconstruction that counts more and more.
# A child adds a data set and takes its images as the pipelines here do.
_base_ = ['../../../_base_/default_runtime.py']

model = dict(
    type='LMDIS',
    data_preprocessor=dict(  # RGB in [0, 1]
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    image_jitter=dict(brightness=32 / 255, contrast=0.5),
    backbone=dict(type='LMDISHourglass'),
    head=dict(type='ChannelSoftmaxHead', in_channels=32, num_keypoints=10, padding=8),
    generator=dict(
        type='LMDISGenerator',
        num_keypoints=10,
        features=dict(
            type='LMDISHourglass',
            encoder=((32, 64), (128,), (256,)),
            bottleneck=(512,),
            decoder=((256,), (128,), (64,), (64, 64)),
            skip_convolutions=2,
            final_activation=False,
        ),
        decoder=dict(
            type='LMDISHourglass',
            encoder=((64, 64), (128,), (256,), (512,)),
            bottleneck=(512,),
            decoder=((256,), (128,), (64,), (32,), ()),
            skip_convolutions=2,
        ),
    ),
    view_transform=dict(type='RandomLMDISWarp'),
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
    optimizer=dict(type='Adam', lr=1e-3, weight_decay=1e-6),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
)
param_scheduler = dict(
    type='MultiStepLR', by_epoch=False, milestones=[100000, 200000], gamma=0.1
)
custom_hooks = [
    dict(
        type='LossWeightSchedule',
        losses=dict(reconstruction=[(0, 0.1), (100000, 1.0), (200000, 10.0)]),
    )
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=250000, val_interval=10000)

# Images resized to 100x100, their central 80x80.
central_crop = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=0.8),
    dict(type='TopdownResize', input_size=(80, 80)),
    dict(type='PackPoseInputs'),
]
# Images whole.
whole_image = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(80, 80)),
    dict(type='PackPoseInputs'),
]
