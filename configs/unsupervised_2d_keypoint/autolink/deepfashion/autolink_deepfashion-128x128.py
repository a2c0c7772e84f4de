# Full-body DeepFashion, K=16.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/deepfashion_128x128.py',
]
model = dict(
    head=dict(num_keypoints=16), generator=dict(num_keypoints=16, thickness=1e-3)
)
train_dataloader = dict(dataset=dict(num_keypoints=16))
val_dataloader = dict(dataset=dict(num_keypoints=16))
test_dataloader = val_dataloader
