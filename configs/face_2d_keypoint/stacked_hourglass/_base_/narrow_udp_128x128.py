# Narrow stacks for 6,000 steps on crops of 128x128 pixels. Maps of 32x32 cells are read
# between the cells (DARK), in UDP's coordinates.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../body_2d_keypoint/stacked_hourglass/_base_/narrow.py',
]

codec = dict(type='UDPHeatmap', input_size=(128, 128), heatmap_size=(32, 32), sigma=1.5)
load = dict(type='LoadVerifiedImage')
box = dict(type='GetBBoxCenterScale', padding=1.0)
crop = dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True)
packing = dict(type='PackPoseInputs')
train_pipeline = [
    load,
    box,
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='RandomScaleRotation',
        scale_exponent_std=0.15,
        scale_exponent_limit=0.3,
        rotation_std=20.0,
        rotation_limit=40.0,
        rotation_probability=0.6,
    ),
    crop,
    dict(type='RandomChannelGain'),
    dict(type='GenerateTarget', encoder=codec),
    packing,
]
test_pipeline = [load, box, crop, packing]

batch_size = 8
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, end=200, start_factor=0.05),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=200, eta_min=1e-5),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=6000, val_interval=1000)
