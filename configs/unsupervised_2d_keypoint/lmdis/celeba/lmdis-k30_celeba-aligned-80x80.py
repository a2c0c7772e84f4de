# The same with 30 keypoints, with the weights and the learning rate that go with them.
_base_ = ['./lmdis_celeba-aligned-80x80.py']
model = dict(
    head=dict(num_keypoints=30),
    generator=dict(num_keypoints=30),
    losses=dict(separation=dict(loss_weight=10.0, bandwidth=0.04)),
)
train_dataloader = dict(batch_size=8, dataset=dict(num_keypoints=30))
val_dataloader = dict(dataset=dict(num_keypoints=30))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=1e-2))
custom_hooks = [
    dict(
        type='LossWeightSchedule',
        losses=dict(reconstruction=[(0, 0.1), (100000, 10.0), (200000, 100.0)]),
    )
]
