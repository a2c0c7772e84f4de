# Crops of LSP Extended around one person each, 192x192 pixels:
# python tools/dataset_converters/lsp_to_coco.py data/lspet
data_mode = 'topdown'
dataset_type = 'LspDataset'
data_root = 'work_dirs/datasets/lspet'
train_dataloader = dict(
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='images'),
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
