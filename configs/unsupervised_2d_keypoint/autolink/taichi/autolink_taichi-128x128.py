# Taichi, K=10, thin edges.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/taichi_128x128.py',
]
model = dict(
    head=dict(num_keypoints=10), generator=dict(num_keypoints=10, thickness=5e-4)
)
train_dataloader = dict(dataset=dict(num_keypoints=10))
val_dataloader = dict(dataset=dict(num_keypoints=10))
test_dataloader = val_dataloader
