# 10 keypoints of plants, cut out and framed; most lie, their root to the right.
num_keypoints = 10
_base_ = ['../_base_/lmdis_guarded_64x64.py', '../../../_base_/datasets/seedlings.py']
model = dict(
    head=dict(num_keypoints=num_keypoints), view_transform=dict(rotation_std=15.0)
)
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
