# CelebA in the wild, K=8: whole photographs, faces of at least 30 % of them.
num_keypoints = 8
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/celeba_wild.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = test_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
val_evaluator = test_evaluator = dict(variant='stable_keypoints')
