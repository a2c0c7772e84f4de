# People in extreme poses from 1,500 crops, on one CPU core.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/datasets/lspet_128x128.py',
]
num_stacks = 2
num_keypoints = 14
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    backbone=dict(
        type='StackedHourglass',
        num_stacks=num_stacks,
        num_keypoints=num_keypoints,
        channels=96,
        stem_channels=32,
    ),
    head=dict(
        type='StackedHourglassHead',
        num_stacks=num_stacks,
        num_keypoints=num_keypoints,
        # Squares summed over an image's maps, not their mean: gradients well above
        # Adam's epsilon.
        loss=dict(
            type='KeypointMSELoss', use_target_weight=True, loss_weight=14 * 32 * 32
        ),
        decoder=_base_.codec,
    ),
    test_cfg=dict(flip_test=True, shift_heatmap=False),
)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1.5e-3, weight_decay=1e-2),
    clip_grad=dict(max_norm=100.0),
)
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, end=200, start_factor=0.05),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=200, eta_min=1e-5),
]
custom_hooks = [
    dict(type='HeatmapCollapseHook'),
    dict(
        type='EMAHook',
        ema_type='ExpMomentumEMA',
        momentum=0.003,
        gamma=300,
        update_buffers=True,
    ),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=12000, val_interval=2000)
