# All labelled people of MPII's pictures. The chest stands for thorax and pelvis, which
# are not predicted and so are not scored.
_base_ = ['./bottomup.py']
skeleton = 'mpi15'
dataset_type = 'MpiiPeopleDataset'
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
        data_prefix=dict(img='images/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='BottomupCocoMetric',
    score_mode='bbox',
    nms_mode='none',
    keypoints=[*range(6), *range(8, 16)],
    prefix='mpii',
)
test_evaluator = val_evaluator
