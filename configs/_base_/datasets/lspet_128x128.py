# Crops of LSP Extended around one person each, 192x192 pixels:
# python tools/dataset_converters/lsp_to_coco.py data/lspet
codec = dict(
    type='HourglassHeatmap', input_size=(128, 128), heatmap_size=(32, 32), sigma=2.0
)
data_mode = 'topdown'
dataset_type = 'LspDataset'
data_root = 'work_dirs/datasets/lspet'
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='RandomScaleRotation', rotation_probability=0.6),
    dict(type='TopdownAffine', input_size=(128, 128)),
    dict(type='RandomChannelGain'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownAffine', input_size=(128, 128)),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='images'),
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
        ann_file='annotations/test.json',
        data_prefix=dict(img='images'),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='PercentageOfCorrectKeypoints',
    norm_item='torso',
    torso=('right_shoulder', 'left_hip'),
    thresholds=(0.2,),
)
test_evaluator = val_evaluator
