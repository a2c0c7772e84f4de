# Part affinity fields over MobileNetV2, features of strides 8 and 16 joined.
_base_ = [
    '../_base_/mmpose_backbone.py',
    '../../../_base_/datasets/coco_people_368x368.py',
]
model = dict(
    backbone=dict(
        type='MobileNetV2',
        out_indices=(2, 4),
        init_cfg=dict(type='Pretrained', checkpoint='mmcls://mobilenet_v2'),
    ),
    neck=dict(type='FeatureMapProcessor', concat=True),
    head=dict(in_channels=32 + 96, decoder=_base_.codec),
)
train_dataloader = dict(batch_size=32)
