# A small ResNet-18 that learns from scratch on one CPU core; where there is a GPU,
# base_channels=64 and pretrained weights learn more.
_base_ = ['../../../_base_/default_runtime.py', './mmpose_backbone.py']

model = dict(
    backbone=dict(
        type='ResNet',
        depth=18,
        stem_channels=32,
        base_channels=32,
        out_indices=(0, 1, 2, 3),  # strides 4, 8, 16 and 32
    ),
    neck=dict(type='FeatureMapProcessor', concat=True),
    head=dict(
        in_channels=32 * (1 + 2 + 4 + 8),
        feature_channels=64,
        feature_kernel_size=1,
        stages=dict(channels=64, hidden_channels=128, num_refinements=1),
    ),
)
param_scheduler = [dict(type='LinearLR', by_epoch=False, end=100, start_factor=0.05)]
train_cfg = dict(max_iters=2000, val_interval=500)
