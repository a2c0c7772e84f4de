# Images without labels, squashed to 128x128; a child says where they lie.
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(128, 128)),
    dict(type='PackPoseInputs'),
]
test_pipeline = [step for step in train_pipeline if step['type'] != 'RandomFlip']
data_mode = 'topdown'
dataset_type = 'UnlabeledImageDataset'
train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(type=dataset_type, num_keypoints=10, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type, num_keypoints=10, pipeline=test_pipeline, test_mode=True
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='KeypointCollapseMetric')
test_evaluator = val_evaluator
