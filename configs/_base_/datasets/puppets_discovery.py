# Embedded data: figures drawn while they are read, exact joints to score against.
data_mode = 'topdown'
dataset_type = 'PuppetDataset'
train_dataloader = dict(
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='LabelFreeDataset',
        dataset=dict(type=dataset_type, image_size=64, seed=0, num_images=4000),
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='DiscoveryEvaluationDataset',
        fit=dict(type=dataset_type, image_size=64, seed=1, num_images=500),
        score=dict(type=dataset_type, image_size=64, seed=2, num_images=500),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='DiscoveredKeypointMetric',
    protocol='generic',
    error_groups=dict(elbows=[7, 8], wrists=[9, 10]),
    object_share=True,
    # A point at a fixed offset beside a part is regressed as well as one on it.
    near_body=(0.03, 0.05),
    trunk=(5, 6, 12, 11),
)
test_evaluator = val_evaluator
