# Frames of people who exercise before a wall, without annotations. Made by
# tools/dataset_converters/action_strips_to_frames.py.
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(64, 64)),
    dict(type='PackPoseInputs'),
]
data_mode = 'topdown'
dataset_type = 'UnlabeledImageDataset'
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type=dataset_type,
        num_keypoints=10,
        data_root='work_dirs/datasets/actions/train',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        num_keypoints=10,
        data_root='work_dirs/datasets/actions/test',
        pipeline=train_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='KeypointCollapseMetric')
test_evaluator = val_evaluator
