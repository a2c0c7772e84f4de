# The network of "Stacked Hourglass Networks for Human Pose Estimation" (ECCV 2016),
# trained as the author's Torch code does. A child adds a data set and gives the head
# its codec; other numbers of stacks and keypoints are told to backbone and head.
_base_ = ['../../../_base_/default_runtime.py']

model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(  # RGB from 0 to 1
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    backbone=dict(type='StackedHourglass', num_stacks=8, num_keypoints=16),
    head=dict(
        type='StackedHourglassHead',
        num_stacks=8,
        num_keypoints=16,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
    ),
    # HourglassHeatmap is symmetric: mirrored maps need no shift.
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=False),
)

# 100 epochs of 8000 steps with 6 people each, and a few more at a fifth of the rate.
optim_wrapper = dict(
    optimizer=dict(type='RMSprop', lr=2.5e-4, alpha=0.99, eps=1e-8),
)
param_scheduler = dict(
    type='MultiStepLR', by_epoch=False, milestones=[800000], gamma=0.2
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=840000, val_interval=8000)
custom_hooks = [dict(type='HeatmapCollapseHook')]
