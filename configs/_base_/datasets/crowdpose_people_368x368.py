# All people of CrowdPose, whose skeleton is derived from its metainfo.
_base_ = ['./coco_people_368x368.py']
codec = dict(
    type='PartAffinityField',
    skeleton='CrowdPoseDataset',
    input_size=(368, 368),
    field_alignment='centred',
)
train_pipeline = [
    dict(step, encoder=codec) if step['type'] == 'GenerateTarget' else step
    for step in _base_.train_pipeline
]
dataset_type = 'CrowdPoseDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/crowdpose',
        ann_file='annotations/mmpose_crowdpose_trainval.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/crowdpose',
        ann_file='annotations/mmpose_crowdpose_test.json',
        data_prefix=dict(img='images/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(iou_type='keypoints_crowd', use_area=False, prefix='crowdpose')
test_evaluator = val_evaluator
