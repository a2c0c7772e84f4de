# Two narrow stacks that learn from scratch on one CPU core. A child adds the runtime,
# the size of images and maps, and a schedule.
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(  # RGB from 0 to 1
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    backbone=dict(type='StackedHourglass', num_stacks=2, channels=64, stem_channels=16),
    head=dict(
        type='StackedHourglassHead',
        num_stacks=2,
        # Squares summed over some maps of 32x32 cells, not their mean: gradients well
        # above Adam's epsilon.
        loss=dict(
            type='KeypointMSELoss', use_target_weight=True, loss_weight=17 * 32 * 32
        ),
    ),
    test_cfg=dict(flip_test=True, shift_heatmap=False),
)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=3e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=100.0),
)
# Averaged weights stand in for a falling learning rate, whenever the training ends.
average = dict(
    type='EMAHook',
    ema_type='ExpMomentumEMA',
    momentum=0.01,
    gamma=100,
    update_buffers=True,
)
custom_hooks = [dict(type='HeatmapCollapseHook'), average]
