# One animal a box, of the skeleton that own_skeleton.py says. A small network that
# learns from scratch on one CPU core.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/datasets/own_skeleton.py',
]
num_keypoints = len(_base_.keypoints)
codec = dict(type='HourglassHeatmap', input_size=(128, 128), heatmap_size=(32, 32))
data_mode = 'topdown'
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    backbone=dict(
        type='StackedHourglass',
        num_stacks=2,
        num_keypoints=num_keypoints,
        channels=64,
        stem_channels=16,
    ),
    head=dict(
        type='StackedHourglassHead',
        num_stacks=2,
        num_keypoints=num_keypoints,
        # Sums over maps, not means: gradients well above Adam's epsilon.
        loss=dict(
            type='KeypointMSELoss', use_target_weight=True, loss_weight=17 * 32 * 32
        ),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, shift_heatmap=False),
)
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomScaleRotation'),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='RandomChannelGain'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [train_pipeline[i] for i in (0, 1, 4, 7)]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(_base_.train_data, data_mode=data_mode, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_base_.val_data, data_mode=data_mode, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', nms_mode='none')
test_evaluator = val_evaluator
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=100.0),
)
param_scheduler = dict(type='LinearLR', by_epoch=False, end=200, start_factor=0.05)
custom_hooks = [dict(type='HeatmapCollapseHook')]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=3000, val_interval=500)
