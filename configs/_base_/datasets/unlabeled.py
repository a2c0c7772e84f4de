# Images without labels; a child says where they lie. Nothing is scored but whether the
# keypoints fell together.
data_mode = 'topdown'
dataset_type = 'UnlabeledImageDataset'
train_dataloader = dict(
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(type=dataset_type),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type=dataset_type, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='KeypointCollapseMetric')
test_evaluator = val_evaluator
