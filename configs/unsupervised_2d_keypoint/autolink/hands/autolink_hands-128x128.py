# Hands (11k Hands): pictures only, nothing to score.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/unlabelled_128x128.py',
]
model = dict(
    head=dict(num_keypoints=10), generator=dict(num_keypoints=10, thickness=1e-3)
)

train_dataloader = dict(dataset=dict(num_keypoints=10, data_root='data/hands/train'))
val_dataloader = dict(dataset=dict(num_keypoints=10, data_root='data/hands/test'))
test_dataloader = val_dataloader
