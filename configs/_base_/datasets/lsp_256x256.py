# Leeds Sports Pose, trained together with its extended set: 11,000 people; 1,000 are
# tested. `lsp_to_coco.py --box tight` of tools/dataset_converters makes both folders,
# with room around the joints in the boxes.
_base_ = ['./mpii_256x256.py']
dataset_type = 'LspDataset'
train_pipeline = [
    dict(step, padding=1.0) if step['type'] == 'GetBBoxCenterScale' else step
    for step in _base_.train_pipeline
]
test_pipeline = [
    dict(step, padding=1.0) if step['type'] == 'GetBBoxCenterScale' else step
    for step in _base_.test_pipeline
]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            dict(
                type=dataset_type,
                data_root=f'work_dirs/datasets/{name}',
                ann_file='annotations/train.json',
                data_prefix=dict(img='images/'),
                pipeline=train_pipeline,
            )
            for name in ('lsp', 'lsp_extended')
        ],
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        data_root='work_dirs/datasets/lsp',
        ann_file='annotations/test.json',
        data_prefix=dict(img='images/'),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    _delete_=True,
    type='PercentageOfCorrectKeypoints',
    torso=('right_shoulder', 'left_hip'),
    thresholds=(0.2, 0.1),
)
test_evaluator = val_evaluator
