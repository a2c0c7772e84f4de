# One narrow stack that learns drawn figures from scratch in minutes on one CPU core.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/datasets/puppets_labelled_64x64.py',
]
num_keypoints = 17
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    backbone=dict(
        type='StackedHourglass',
        num_stacks=1,
        num_keypoints=num_keypoints,
        channels=64,
        stem_channels=16,
        stem_stride=2,
    ),
    head=dict(
        type='StackedHourglassHead',
        num_stacks=1,
        num_keypoints=num_keypoints,
        # Squares summed over an image's maps, not their mean: gradients well above
        # Adam's epsilon.
        loss=dict(
            type='KeypointMSELoss', use_target_weight=True, loss_weight=17 * 32 * 32
        ),
        decoder=_base_.codec,
    ),
    test_cfg=dict(flip_test=False),
)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=3e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=100.0),
)
# Averaged weights stand in for a falling learning rate, whenever the training ends.
param_scheduler = dict(type='LinearLR', by_epoch=False, end=100, start_factor=0.05)
custom_hooks = [
    dict(type='HeatmapCollapseHook'),
    dict(
        type='EMAHook',
        ema_type='ExpMomentumEMA',
        momentum=0.01,
        gamma=100,
        update_buffers=True,
    ),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1500, val_interval=500)
