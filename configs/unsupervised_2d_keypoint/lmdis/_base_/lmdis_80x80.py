# LMDIS as published for CelebA with 10 keypoints: crops of 80 pixels in frames of 96,
# batch 16, Adam for 250,000 steps, a reconstruction that counts more and more.
# A child adds a data set, its crop, and the number of keypoints.
_base_ = [
    '../../../_base_/default_runtime.py',
    './lmdis.py',
    './crops_80x80.py',
]

model = dict(
    image_jitter=dict(brightness=32 / 255, contrast=0.5),
    backbone=dict(type='LMDISHourglass'),
    head=dict(type='ChannelSoftmaxHead', in_channels=32, padding=8),
    generator=dict(
        type='LMDISGenerator',
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
    ),
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
