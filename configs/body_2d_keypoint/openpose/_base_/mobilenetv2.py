# MMPose's MobileNetV2, features of strides 8 and 16 joined.
_base_ = ['../../../_base_/default_runtime.py', './mmpose_backbone.py']

# of several processes: layers 6 and 7 get no gradient
find_unused_parameters = True
model = dict(
    backbone=dict(
        type='MobileNetV2',
        out_indices=(2, 4),
        init_cfg=dict(type='Pretrained', checkpoint='mmcls://mobilenet_v2'),
    ),
    neck=dict(type='FeatureMapProcessor', concat=True),
    head=dict(in_channels=32 + 96),
)
