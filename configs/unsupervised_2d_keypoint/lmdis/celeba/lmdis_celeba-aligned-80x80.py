# CelebA aligned, scored on MAFL, K=10: the published setting.
num_keypoints = 10
_base_ = ['../_base_/lmdis_80x80.py', '../../../_base_/datasets/celeba_aligned.py']
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.central_crop)
train_dataloader = dict(batch_size=_base_.batch_size, dataset=images)
val_dataloader = test_dataloader = dict(dataset=images)
val_evaluator = test_evaluator = dict(variant='lmdis')
