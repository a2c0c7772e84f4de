# CelebA aligned, scored on MAFL, K=10.
num_keypoints = 10
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/celeba_aligned.py',
]
model = dict(head=dict(num_keypoints=num_keypoints))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = test_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
val_evaluator = test_evaluator = dict(variant='stable_keypoints')
