# CelebA in the wild, K=8 as in the paper; K=16 has thickness 1e-3, K=32 7.5e-4.
num_keypoints = 8
_base_ = ['../_base_/autolink_128x128.py', '../../../_base_/datasets/celeba_wild.py']
model = dict(head=dict(num_keypoints=num_keypoints), generator=dict(thickness=2.5e-3))
images = dict(num_keypoints=num_keypoints, pipeline=_base_.pipeline)
train_dataloader = dict(
    batch_size=_base_.batch_size,
    dataset=dict(images, pipeline=_base_.flipping_pipeline),
)
val_dataloader = test_dataloader = dict(dataset=images)
