# 10 keypoints of CelebA's aligned faces.
num_keypoints = 10
_base_ = [
    '../_base_/imm_equivariance_64x64.py',
    '../../../_base_/datasets/celeba_halved.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
