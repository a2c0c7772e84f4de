# Face crops with 5 annotated points, 64x64: trained on without the annotations, which
# only fit and score the regressor. Made by tools/dataset_converters/faces68_to_coco.py.
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
        data_root='work_dirs/datasets/faces',
        data_prefix=dict(img='train'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='DiscoveryEvaluationDataset',
        num_keypoints=10,
        fit=dict(
            type='LandmarkDataset',
            data_root='work_dirs/datasets/faces',
            ann_file='annotations/train_5.json',
            data_prefix=dict(img='train'),
        ),
        score=dict(
            type='LandmarkDataset',
            data_root='work_dirs/datasets/faces',
            ann_file='annotations/test_5.json',
            data_prefix=dict(img='test'),
            test_mode=True,
        ),
        pipeline=train_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='DiscoveredKeypointMetric', protocol='mafl')
test_evaluator = val_evaluator
