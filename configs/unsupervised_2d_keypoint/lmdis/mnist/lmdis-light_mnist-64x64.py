# 10 keypoints of digits or clothes on black.
num_keypoints = 10
_base_ = ['../_base_/lmdis_light_64x64.py', '../../../_base_/datasets/mnist.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
param_scheduler = dict(begin=300, end=600)
train_cfg = dict(max_iters=600, val_interval=300)
