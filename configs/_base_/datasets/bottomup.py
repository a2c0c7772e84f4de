# All people, or animals, of a picture. A child says which, their skeleton, and how they
# are scored.
data_mode = 'bottomup'
train_dataloader = dict(
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(data_mode=data_mode),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(data_mode=data_mode, test_mode=True),
)
test_dataloader = val_dataloader
