# One person or face a sample, in its box. A child says which, and how they are scored.
data_mode = 'topdown'
train_dataloader = dict(
    num_workers=4, persistent_workers=True, sampler=dict(type='InfiniteSampler')
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(test_mode=True),
)
test_dataloader = val_dataloader
