# The published setting on 10,000 aligned faces of half the size.
num_keypoints = 10
_base_ = ['../_base_/lmdis_80x80.py', '../../../_base_/datasets/celeba_halved.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.central_crop)
train_dataloader = dict(batch_size=_base_.batch_size, num_workers=4, dataset=images)
val_dataloader = test_dataloader = dict(num_workers=4, dataset=images)
