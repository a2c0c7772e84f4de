# Part affinity fields over HRNet-w32, at its stride of 4.
_base_ = [
    '../_base_/hrnet_w32.py',
    '../_base_/people_384x384.py',
    '../../../_base_/datasets/coco_people.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(head=dict(decoder=codec))
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
