# Training without labels; annotated images to fit the regressor on and to score it on.
# A child says where they lie and by which protocol they are scored.
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
    dataset=dict(
        type='DiscoveryEvaluationDataset',
        fit=dict(type='LandmarkDataset'),
        score=dict(type='LandmarkDataset', test_mode=True),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='DiscoveredKeypointMetric')
test_evaluator = val_evaluator
