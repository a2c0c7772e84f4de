# Part affinity fields over HRNet-w32, at its stride of 4.
_base_ = [
    '../_base_/mmpose_backbone.py',
    '../../../_base_/datasets/coco_people_368x368.py',
]
# Its branches take sizes that are multiples of 32.
codec = dict(_base_.codec, input_size=(384, 384), stride=4)
train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='PersonScaledAffine', input_size=codec['input_size']),
    dict(type='RandomFlip'),
    dict(type='LabeledMask', stride=codec['stride']),
    dict(type='GenerateTarget', encoder=codec),
    _base_.train_pipeline[-1],
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(type='BottomupHeightResize', height=384, size_factor=32),
    _base_.test_pipeline[-1],
]
model = dict(
    backbone=dict(
        type='HRNet',
        extra=dict(
            stage1=dict(
                num_modules=1,
                num_branches=1,
                block='BOTTLENECK',
                num_blocks=(4,),
                num_channels=(64,),
            ),
            stage2=dict(
                num_modules=1,
                num_branches=2,
                block='BASIC',
                num_blocks=(4, 4),
                num_channels=(32, 64),
            ),
            stage3=dict(
                num_modules=4,
                num_branches=3,
                block='BASIC',
                num_blocks=(4, 4, 4),
                num_channels=(32, 64, 128),
            ),
            stage4=dict(
                num_modules=3,
                num_branches=4,
                block='BASIC',
                num_blocks=(4, 4, 4, 4),
                num_channels=(32, 64, 128, 256),
            ),
        ),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/'
            'hrnet_w32-36af842e.pth',
        ),
    ),
    head=dict(in_channels=32, decoder=codec),
)
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
