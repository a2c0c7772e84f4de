# Embedded data: one figure an image, drawn while it is read, with exact joints. Images
# are not mirrored: a figure's own left sleeve and trouser leg are the darker ones.
codec = dict(
    type='HourglassHeatmap', input_size=(64, 64), heatmap_size=(32, 32), sigma=1.0
)
data_mode = 'topdown'
dataset_type = 'PuppetDataset'
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(64, 64)),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [*train_pipeline[:3], dict(type='PackPoseInputs')]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type=dataset_type,
        image_size=64,
        seed=0,
        num_images=20000,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        image_size=64,
        seed=1,
        num_images=500,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='PercentageOfCorrectKeypoints',
    norm_item='torso',
    torso=('right_shoulder', 'left_hip'),
    thresholds=(0.2, 0.1),
)
test_evaluator = val_evaluator
