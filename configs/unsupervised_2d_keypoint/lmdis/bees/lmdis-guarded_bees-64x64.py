# 16 keypoints of bees that are turned any way, cut out of their background.
num_keypoints = 16
_base_ = ['../_base_/lmdis_guarded_64x64.py', '../../../_base_/datasets/bees.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
