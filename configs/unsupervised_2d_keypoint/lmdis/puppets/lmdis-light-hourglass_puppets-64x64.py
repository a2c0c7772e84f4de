# A stack of the supervised hourglass as the detector.
num_keypoints = 16
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/backbones/hourglass_w32.py',
    '../../../_base_/datasets/puppets_discovery.py',
]
model = dict(
    head=dict(num_keypoints=num_keypoints),
    backbone=dict(_delete_=True, order=2, **_base_.hourglass_w32),
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
