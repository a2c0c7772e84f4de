# Face crops with 68 landmarks in iBUG's order; people to test are not in the training:
# python tools/dataset_converters/faces68_to_coco.py data/faces --points 5 68
data_mode = 'topdown'
dataset_type = 'Face300WDataset'
data_root = 'work_dirs/datasets/faces'
train_dataloader = dict(
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/train_68.json',
        data_prefix=dict(img='train'),
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
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
# Over the distance of the outer corners of the eyes.
val_evaluator = dict(
    type='NME', norm_mode='keypoint_distance', keypoint_indices=[36, 45]
)
test_evaluator = val_evaluator
