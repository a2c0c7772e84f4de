# Groups of drawn figures, in minutes on one CPU core.
_base_ = [
    '../_base_/res18_w25.py',
    '../_base_/people_128x128.py',
    '../../../_base_/datasets/puppet_groups.py',
]
codec = dict(_base_.codec, skeleton=_base_.skeleton)
model = dict(head=dict(decoder=codec))
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]
train_dataloader = dict(
    batch_size=_base_.batch_size, dataset=dict(pipeline=train_pipeline)
)
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
