# MMPose's ResNet-18 as detector; the head doubles its 2x2 map four times.
num_keypoints = 10
_base_ = [
    '../_base_/autolink_equivariance_64x64.py',
    '../../../_base_/datasets/faces.py',
]
sizes = dict(in_channels=512, upsample_channels=(256, 128, 64, 64))
model = dict(
    backbone=dict(_delete_=True, type='ResNet', depth=18),
    head=dict(num_keypoints=num_keypoints, **sizes),
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
