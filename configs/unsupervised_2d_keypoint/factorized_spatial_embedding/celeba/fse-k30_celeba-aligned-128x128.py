# The same with 30 keypoints.
num_keypoints = 30
_base_ = ['../_base_/fse_128x128.py', '../../../_base_/datasets/celeba_aligned.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
