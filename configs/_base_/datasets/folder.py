# Your own images, without annotations and of any sizes. A child says where they lie.
data_mode = 'topdown'
dataset_type = 'UnlabeledImageDataset'
train_dataloader = dict(
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(type=dataset_type),
)
# The same images: the pictures and the spread of the keypoints tell how it goes.
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type=dataset_type, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='KeypointCollapseMetric')
test_evaluator = val_evaluator
