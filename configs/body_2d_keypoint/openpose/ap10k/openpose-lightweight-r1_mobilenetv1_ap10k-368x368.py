# Lightweight OpenPose on AP-10K's animals, which are measured by their longer side.
_base_ = [
    '../_base_/lightweight.py',
    '../_base_/people_368x368.py',
    '../../../_base_/datasets/ap10k_animals.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(head=dict(decoder=codec))
load, crop, *others = _base_.augment
augment = [load, dict(crop, size_of='longer_side'), *others]
train_pipeline = [*augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=80, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
