# The MobileNetV2 of tf-pose, its normalisation folded as in PINTO's weights.
_base_ = [
    '../_base_/mobilenet_v2_tfpose.py',
    '../_base_/people_368x368.py',
    '../../../_base_/datasets/coco_people.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(head=dict(decoder=codec))
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=64, dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
