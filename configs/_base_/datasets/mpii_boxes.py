# MPII's people. The centre that MpiiDataset reads lies 15 of 200 units lower than
# annotated, as in the code of Stacked Hourglass.
_base_ = ['./topdown.py']
dataset_type = 'MpiiDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/mpii',
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/mpii',
        ann_file='annotations/mpii_val.json',
        headbox_file='data/mpii/annotations/mpii_gt_val.mat',
        data_prefix=dict(img='images/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='PercentageOfCorrectKeypoints',
    norm_item='head_size',
    thresholds=(0.5, 0.1),
    means='mpii',
)
test_evaluator = val_evaluator
