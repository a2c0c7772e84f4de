# ResNet-50, dilated so that its last features have stride 8.
_base_ = ['../../../_base_/default_runtime.py', './mmpose_backbone.py']

model = dict(
    backbone=dict(
        type='ResNet',
        depth=50,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    head=dict(in_channels=2048),
)
