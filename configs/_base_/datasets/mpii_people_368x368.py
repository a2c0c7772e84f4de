# All labelled people of MPII's pictures. The chest stands for thorax and pelvis, which
# are not predicted and so are not scored.
_base_ = ['./coco_people_368x368.py']
codec = dict(
    type='PartAffinityField',
    skeleton='mpi15',
    input_size=(368, 368),
    field_alignment='centred',
)
train_pipeline = [
    dict(step, encoder=codec) if step['type'] == 'GenerateTarget' else step
    for step in _base_.train_pipeline
]
dataset_type = 'MpiiPeopleDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/mpii',
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline,
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
    type='BottomupCocoMetric', keypoints=[*range(6), *range(8, 16)], prefix='mpii'
)
test_evaluator = val_evaluator
