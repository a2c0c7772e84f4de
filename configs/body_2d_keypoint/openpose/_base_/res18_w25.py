# Part affinity fields learned from scratch in minutes on one CPU core: a ResNet-18 of a
# quarter of the width, whose four levels are joined at stride 4, and a single stage. A
# child adds a data set and the head's codec.
_base_ = ['../../../_base_/default_runtime.py']

stages = dict(type='TwoBranchStages', num_stages=1, channels=48, hidden_channels=96)
model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(  # (BGR - 128) / 64
        type='PoseDataPreprocessor', mean=[128] * 3, std=[64] * 3
    ),
    backbone=dict(
        type='ResNet',
        depth=18,
        stem_channels=16,
        base_channels=16,
        out_indices=(0, 1, 2, 3),  # strides 4, 8, 16 and 32
    ),
    neck=dict(type='FeatureMapProcessor', concat=True),
    head=dict(
        type='PartAffinityHead',
        in_channels=16 + 32 + 64 + 128,
        feature_channels=48,
        feature_kernel_size=1,
        stages=stages,
        loss=dict(type='PartAffinityLoss', caffe_scaling=True, heatmap_weight=2.0),
    ),
    test_cfg=dict(flip_test=False),
)
# Many small steps teach more in the same time than few large ones.
batch_size = 4
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=3e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=100.0),
)
# Averaged weights stand in for a falling learning rate, whenever the training ends.
param_scheduler = dict(type='LinearLR', by_epoch=False, end=100, start_factor=0.05)
ema = dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.01, gamma=100)
custom_hooks = [dict(ema, update_buffers=True)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2000, val_interval=1000)
