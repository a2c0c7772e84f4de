# Narrow stacks for 12,000 steps on crops of 128x128 pixels, whose boxes are the crops.
_base_ = ['../../../_base_/default_runtime.py', './narrow.py']

codec = dict(
    type='HourglassHeatmap', input_size=(128, 128), heatmap_size=(32, 32), sigma=2.0
)
load = dict(type='LoadVerifiedImage')
box = dict(type='GetBBoxCenterScale', padding=1.0)
crop = dict(type='TopdownAffine', input_size=codec['input_size'])
packing = dict(type='PackPoseInputs')
train_pipeline = [
    load,
    box,
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomScaleRotation', rotation_probability=0.6),
    crop,
    dict(type='RandomChannelGain'),
    dict(type='GenerateTarget', encoder=codec),
    packing,
]
test_pipeline = [load, box, crop, packing]

model = dict(backbone=dict(channels=96, stem_channels=32))
batch_size = 8
optim_wrapper = dict(optimizer=dict(lr=1.5e-3, weight_decay=1e-2))
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, end=200, start_factor=0.05),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=200, eta_min=1e-5),
]
custom_hooks = [
    dict(type='HeatmapCollapseHook'),
    dict(_base_.average, momentum=0.003, gamma=300),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=12000, val_interval=2000)
