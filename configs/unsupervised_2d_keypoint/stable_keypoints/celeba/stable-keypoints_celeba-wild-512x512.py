# CelebA in the wild, K=8: whole photographs, faces of at least 30 % of them.
_base_ = [
    '../_base_/stable_keypoints_512x512.py',
    '../../../_base_/datasets/celeba_wild_128x128.py',
]
model = dict(head=dict(num_keypoints=8), train_cfg=dict(num_selected=8))
images = dict(num_keypoints=8, pipeline=_base_.whole_image)
train_dataloader = dict(batch_size=1, dataset=images)
val_dataloader = dict(batch_size=1, dataset=dict(**images, **_base_.sample))
test_dataloader = dict(batch_size=1, dataset=images)
val_evaluator = dict(variant='stable_keypoints')
test_evaluator = val_evaluator
