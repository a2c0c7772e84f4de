# OpenPose's BODY_25: COCO's 17 keypoints, 6 of the feet, the neck and the middle hip.
_base_ = [
    '../_base_/vgg19_fields_first.py',
    '../_base_/people_368x368.py',
    '../../../_base_/datasets/coco_feet.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(head=dict(decoder=codec))
load, crop, *others = _base_.augment
augment = [load, dict(crop, scale_range=(1 / 3, 1.1), rotation=45.0), *others]
train_pipeline = [*augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=10, dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
