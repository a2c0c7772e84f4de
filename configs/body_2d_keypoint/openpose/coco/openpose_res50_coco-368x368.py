# Part affinity fields over ResNet-50, dilated so that its last features have stride 8.
_base_ = [
    '../_base_/mmpose_backbone.py',
    '../../../_base_/datasets/coco_people_368x368.py',
]
model = dict(
    backbone=dict(
        type='ResNet',
        depth=50,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    head=dict(in_channels=2048, decoder=_base_.codec),
)
train_dataloader = dict(batch_size=32)
