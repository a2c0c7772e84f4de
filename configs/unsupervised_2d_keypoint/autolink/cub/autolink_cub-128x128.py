# Birds in their square boxes, K=4.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/cub_128x128.py',
]
model = dict(
    head=dict(num_keypoints=4), generator=dict(num_keypoints=4, thickness=5e-2)
)
train_dataloader = dict(dataset=dict(num_keypoints=4))
val_dataloader = dict(dataset=dict(num_keypoints=4))
test_dataloader = val_dataloader
