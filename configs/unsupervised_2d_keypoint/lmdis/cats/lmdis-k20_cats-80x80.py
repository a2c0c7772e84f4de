# The same with 20 keypoints.
_base_ = ['./lmdis_cats-80x80.py']
model = dict(
    head=dict(num_keypoints=20),
    generator=dict(num_keypoints=20),
    losses=dict(separation=dict(loss_weight=10.0, bandwidth=0.05)),
)
train_dataloader = dict(dataset=dict(num_keypoints=20))
val_dataloader = dict(dataset=dict(num_keypoints=20))
test_dataloader = val_dataloader
