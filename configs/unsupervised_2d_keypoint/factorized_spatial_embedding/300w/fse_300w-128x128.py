# 300-W, 50 keypoints.
num_keypoints = 50
_base_ = ['../_base_/fse_128x128.py', '../../../_base_/datasets/face300w_discovery.py']
pipeline = [_base_.pipeline[0], _base_.crop, *_base_.pipeline[2:]]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
