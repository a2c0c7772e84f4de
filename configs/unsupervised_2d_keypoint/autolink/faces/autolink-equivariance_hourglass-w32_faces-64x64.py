# A light hourglass as detector, at half of the image's size.
num_keypoints = 10
_base_ = [
    '../_base_/autolink_equivariance_64x64.py',
    '../../../_base_/backbones/hourglass_w32.py',
    '../../../_base_/datasets/faces.py',
]
model = dict(
    head=dict(num_keypoints=num_keypoints, in_channels=32, upsample_channels=()),
    backbone=dict(_delete_=True, order=3, **_base_.hourglass_w32),
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
