# CelebA in the wild, K=8 as in the paper; K=16 has thickness 1e-3, K=32 7.5e-4.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/celeba_wild_128x128.py',
]
model = dict(
    head=dict(num_keypoints=8), generator=dict(num_keypoints=8, thickness=2.5e-3)
)
train_dataloader = dict(dataset=dict(num_keypoints=8))
val_dataloader = dict(dataset=dict(num_keypoints=8))
test_dataloader = val_dataloader
