# Can it learn at all? 100 whole pictures by heart, tested on the same.
_base_ = [
    '../_base_/mobilenet_thin_overfit.py',
    '../_base_/people_320x240.py',
    '../../../_base_/datasets/coco_people.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(head=dict(decoder=codec))
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
people = _base_.train_dataloader.dataset
learned = {key: people[key] for key in ('ann_file', 'data_prefix')}
val_dataloader = test_dataloader = dict(
    dataset=dict(pipeline=_base_.test_pipeline, **learned)
)
