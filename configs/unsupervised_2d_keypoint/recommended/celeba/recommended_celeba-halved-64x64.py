# The recipe on 10,000 aligned faces of half the size, cut as published.
num_keypoints = 10
_base_ = ['../_base_/recommended_64x64.py', '../../../_base_/datasets/celeba_halved.py']
model = dict(head=dict(num_keypoints=num_keypoints))
pipeline = [_base_.pipeline[0], _base_.crop, *_base_.pipeline[2:]]
images = dict(num_keypoints=num_keypoints, pipeline=pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
