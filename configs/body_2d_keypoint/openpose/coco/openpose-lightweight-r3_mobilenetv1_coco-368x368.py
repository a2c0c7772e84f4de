# Lightweight OpenPose with three refinements.
_base_ = [
    '../_base_/lightweight.py',
    '../_base_/people_368x368.py',
    '../../../_base_/datasets/coco_people.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(head=dict(decoder=codec, stages=dict(num_refinements=3)))
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=80, dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
