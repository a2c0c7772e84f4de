# Stacked hourglasses of full width. A child adds the runtime, the number of stacks, the
# size of images and a schedule.
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(  # RGB from 0 to 1
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    backbone=dict(type='StackedHourglass'),
    head=dict(
        type='StackedHourglassHead',
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
    ),
    # HourglassHeatmap is symmetric: mirrored maps need no shift.
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=False),
)
custom_hooks = [dict(type='HeatmapCollapseHook')]
