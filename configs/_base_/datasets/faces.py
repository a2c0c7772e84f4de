# Face crops with 5 annotated points: trained on without the annotations, which only fit
# and score the regressor. Made by tools/dataset_converters/faces68_to_coco.py.
data_mode = 'topdown'
dataset_type = 'UnlabeledImageDataset'
root = 'work_dirs/datasets/faces'
train_dataloader = dict(
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(type=dataset_type, data_root=root, data_prefix=dict(img='train')),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='DiscoveryEvaluationDataset',
        fit=dict(
            type='LandmarkDataset',
            data_root=root,
            ann_file='annotations/train_5.json',
            data_prefix=dict(img='train'),
        ),
        score=dict(
            type='LandmarkDataset',
            data_root=root,
            ann_file='annotations/test_5.json',
            data_prefix=dict(img='test'),
            test_mode=True,
        ),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='DiscoveredKeypointMetric', protocol='mafl')
test_evaluator = val_evaluator
