# FLIC: upper bodies of films with 11 joints. `flic_to_coco.py` of
# tools/dataset_converters makes the folder; its boxes are the crops.
_base_ = ['./topdown.py']
dataset_type = 'FlicDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='work_dirs/datasets/flic',
        ann_file='annotations/train.json',
        data_prefix=dict(img='images/'),
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='work_dirs/datasets/flic',
        ann_file='annotations/test.json',
        data_prefix=dict(img='images/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='PercentageOfCorrectKeypoints',
    torso=('left_shoulder', 'right_hip'),
    thresholds=(0.2,),
)
test_evaluator = val_evaluator
