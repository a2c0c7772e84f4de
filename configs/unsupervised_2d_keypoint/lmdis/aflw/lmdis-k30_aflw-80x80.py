# The same with 30 keypoints.
_base_ = ['./lmdis_aflw-80x80.py']
model = dict(
    head=dict(num_keypoints=30),
    generator=dict(num_keypoints=30),
    losses=dict(
        reconstruction=dict(loss_weight=0.001),
        separation=dict(loss_weight=10.0, bandwidth=0.04),
    ),
)
train_dataloader = dict(batch_size=8, dataset=dict(num_keypoints=30))
val_dataloader = dict(dataset=dict(num_keypoints=30))
test_dataloader = val_dataloader
