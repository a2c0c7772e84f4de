# Narrow stacks for 3,000 steps on crops of 128x128 pixels.
_base_ = ['../../../_base_/default_runtime.py', './narrow.py']

codec = dict(type='HourglassHeatmap', input_size=(128, 128), heatmap_size=(32, 32))
load = dict(type='LoadVerifiedImage')
box = dict(type='GetBBoxCenterScale', padding=1.25)
crop = dict(type='TopdownAffine', input_size=codec['input_size'])
packing = dict(type='PackPoseInputs')
train_pipeline = [
    load,
    box,
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomScaleRotation'),
    crop,
    dict(type='RandomChannelGain'),
    dict(type='GenerateTarget', encoder=codec),
    packing,
]
test_pipeline = [load, box, crop, packing]

batch_size = 16
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = dict(type='LinearLR', by_epoch=False, end=200, start_factor=0.05)
custom_hooks = [dict(type='HeatmapCollapseHook')]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=3000, val_interval=500)
