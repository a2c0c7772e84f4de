# Your own images, without annotations and of any sizes, squashed to 64x64. A child says
# where they lie and how many keypoints to find.
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(64, 64)),
    dict(type='PackPoseInputs'),
]
data_mode = 'topdown'
dataset_type = 'UnlabeledImageDataset'
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(type=dataset_type, pipeline=pipeline),
)
# The same images: the pictures and the spread of the keypoints tell how it goes.
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type=dataset_type, pipeline=pipeline, test_mode=True),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='KeypointCollapseMetric')
test_evaluator = val_evaluator
