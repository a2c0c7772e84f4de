# Face crops with 68 landmarks in iBUG's order; people to test are not in the training:
# python tools/dataset_converters/faces68_to_coco.py data/faces --points 5 68
# Maps of 32x32 cells, read between the cells (DARK), in UDP's coordinates.
codec = dict(type='UDPHeatmap', input_size=(128, 128), heatmap_size=(32, 32), sigma=1.5)
data_mode = 'topdown'
dataset_type = 'Face300WDataset'
data_root = 'work_dirs/datasets/faces'
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='RandomFlip', direction='horizontal'),
    dict(
        type='RandomScaleRotation',
        scale_exponent_std=0.15,
        scale_exponent_limit=0.3,
        rotation_std=20.0,
        rotation_limit=40.0,
        rotation_probability=0.6,
    ),
    dict(type='TopdownAffine', input_size=(128, 128), use_udp=True),
    dict(type='RandomChannelGain'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownAffine', input_size=(128, 128), use_udp=True),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train_68.json',
        data_prefix=dict(img='train'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/test_68.json',
        data_prefix=dict(img='test'),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
# Over the distance of the outer corners of the eyes.
val_evaluator = dict(
    type='NME', norm_mode='keypoint_distance', keypoint_indices=[36, 45]
)
test_evaluator = val_evaluator
