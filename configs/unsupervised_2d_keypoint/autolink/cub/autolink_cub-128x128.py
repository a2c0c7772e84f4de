# Birds in their square boxes, K=4. Made by tools/dataset_converters/cub_to_coco.py.
_base_ = ['../_base_/autolink_128x128.py']

# No flips: sides are told apart, or the crops are aligned.
pipeline = [step for step in _base_.train_pipeline if step['type'] != 'RandomFlip']

model = dict(
    head=dict(num_keypoints=4),
    generator=dict(num_keypoints=4, thickness=5e-2),
)
images = dict(img='data/cub/images')
train_dataloader = dict(
    dataset=dict(
        num_keypoints=4,
        bbox_file='work_dirs/datasets/cub/train.json',
        data_prefix=images,
        pipeline=pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='DiscoveryEvaluationDataset',
        num_keypoints=4,
        fit=dict(
            type='LandmarkDataset',
            ann_file='work_dirs/datasets/cub/train.json',
            data_prefix=images,
        ),
        score=dict(
            type='LandmarkDataset',
            ann_file='work_dirs/datasets/cub/test.json',
            data_prefix=images,
        ),
        pipeline=_base_.test_pipeline,
    )
)
test_dataloader = val_dataloader
val_evaluator = dict(type='DiscoveredKeypointMetric', protocol='cub')
test_evaluator = val_evaluator
