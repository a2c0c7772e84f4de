# The thin MobileNet of tf-pose with batch normalisation, to be trained.
_base_ = [
    '../_base_/mobilenet_thin.py',
    '../../../_base_/datasets/coco_people_368x368.py',
]
norm_cfg = dict(type='BN', eps=1e-3)
model = dict(
    data_preprocessor=dict(mean=[128] * 3, std=[256] * 3),
    backbone=dict(norm_cfg=norm_cfg),
    head=dict(decoder=_base_.codec, stages=dict(norm_cfg=norm_cfg)),
)
train_dataloader = dict(batch_size=64)
