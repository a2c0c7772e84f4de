# Face crops of which 20 are labeled, by 5 points, and the rest are not: in the mean
# half of each batch is labeled. Scored without any fit, on other people. Made by
# tools/dataset_converters/faces68_to_coco.py.
data_mode = 'topdown'
dataset_type = 'LandmarkDataset'
names = ['left_eye', 'right_eye', 'nose', 'left_mouth_corner', 'right_mouth_corner']
root = 'work_dirs/datasets/faces'
images = dict(data_root=root, data_prefix=dict(img='train'))
labeled = dict(
    type=dataset_type,
    ann_file='annotations/train_5.json',
    indices=list(range(0, 3667, 184)),
    **images,
)
unlabeled = dict(type='UnlabeledImageDataset', num_keypoints=len(names), **images)
train_dataloader = dict(
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type='CombinedDataset',
        metainfo=dict(
            dataset_name='faces',
            keypoint_info={
                index: dict(name=name, id=index, color=[0, 255, 0], type='', swap='')
                for index, name in enumerate(names)
            },
            skeleton_info={},
            joint_weights=[1.0] * len(names),
            sigmas=[0.05] * len(names),
        ),
        datasets=[labeled, unlabeled],
        sample_ratio_factor=[180.0, 1.0],
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=root,
        ann_file='annotations/test_5.json',
        data_prefix=dict(img='test'),
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='NME', norm_mode='keypoint_distance', keypoint_indices=[0, 1])
test_evaluator = val_evaluator
