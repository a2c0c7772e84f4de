# The same on faces that look roughly into the camera.
num_keypoints = 10
_base_ = ['../_base_/fse_light_64x64.py', '../../../_base_/datasets/faces_frontal.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=32, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
param_scheduler = dict(begin=900, end=1800)
train_cfg = dict(max_iters=1800, val_interval=600)
