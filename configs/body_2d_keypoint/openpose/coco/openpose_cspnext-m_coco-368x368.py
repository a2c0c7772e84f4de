# Part affinity fields over CSPNeXt-m, features of strides 8 and 16 joined.
_base_ = [
    '../_base_/cspnext_m.py',
    '../_base_/people_368x368.py',
    '../../../_base_/datasets/coco_people.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(head=dict(decoder=codec))
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
