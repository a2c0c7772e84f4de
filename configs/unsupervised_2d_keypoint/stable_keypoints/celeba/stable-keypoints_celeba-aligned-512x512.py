# CelebA aligned, scored on MAFL, K=10.
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/celeba_aligned_146x146.py',
]
images = dict(pipeline=_base_.whole_image)
train_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
test_dataloader = dict(batch_size=1, dataset=images)
val_evaluator = dict(variant='stable_keypoints')
test_evaluator = val_evaluator
