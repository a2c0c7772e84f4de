# FLIC: upper bodies of films with 11 joints. `flic_to_coco.py` of
# tools/dataset_converters makes the folder; its boxes are the crops.
_base_ = ['./mpii_256x256.py']
dataset_type = 'FlicDataset'
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
        type=dataset_type,
        data_root='work_dirs/datasets/flic',
        ann_file='annotations/train.json',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        data_root='work_dirs/datasets/flic',
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
    torso=('left_shoulder', 'right_hip'),
    thresholds=(0.2,),
)
test_evaluator = val_evaluator
