# Horses: pictures only, nothing to score.
_base_ = [
    '../_base_/autolink_128x128.py',
    '../../../_base_/datasets/unlabelled_128x128.py',
]
model = dict(
    head=dict(num_keypoints=32), generator=dict(num_keypoints=32, thickness=2.5e-4)
)
# without flips
train_dataloader = dict(
    dataset=dict(
        num_keypoints=32, data_root='data/horses/train', pipeline=_base_.test_pipeline
    )
)
val_dataloader = dict(dataset=dict(num_keypoints=32, data_root='data/horses/test'))
test_dataloader = val_dataloader
