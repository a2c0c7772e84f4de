# Narrow stacks that learn drawn figures of 64x64 pixels in minutes on one CPU core.
_base_ = ['../../../_base_/default_runtime.py', './narrow.py']

codec = dict(
    type='HourglassHeatmap', input_size=(64, 64), heatmap_size=(32, 32), sigma=1.0
)
load = dict(type='LoadVerifiedImage')
box = dict(type='GetBBoxCenterScale', padding=1.0)
resize = dict(type='TopdownResize', input_size=codec['input_size'])
packing = dict(type='PackPoseInputs')
target = dict(type='GenerateTarget', encoder=codec)
train_pipeline = [load, box, resize, target, packing]
test_pipeline = [load, box, resize, packing]

model = dict(
    backbone=dict(stem_stride=2), test_cfg=dict(flip_test=False, shift_heatmap=False)
)
batch_size = 8
param_scheduler = dict(type='LinearLR', by_epoch=False, end=100, start_factor=0.05)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=1500, val_interval=500)
