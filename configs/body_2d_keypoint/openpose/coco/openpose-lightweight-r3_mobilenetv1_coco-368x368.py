# Lightweight OpenPose with three refinements.
_base_ = [
    '../_base_/lightweight.py',
    '../../../_base_/datasets/coco_people_368x368.py',
]
model = dict(head=dict(decoder=_base_.codec, stages=dict(num_refinements=3)))
train_dataloader = dict(batch_size=80)
