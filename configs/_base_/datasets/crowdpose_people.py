# All people of CrowdPose, whose skeleton is derived from its metainfo.
_base_ = ['./bottomup.py']
skeleton = 'CrowdPoseDataset'
dataset_type = 'CrowdPoseDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/crowdpose',
        ann_file='annotations/mmpose_crowdpose_trainval.json',
        data_prefix=dict(img='images/'),
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
val_evaluator = dict(
    type='CocoMetric',
    score_mode='bbox',
    nms_mode='none',
    iou_type='keypoints_crowd',
    use_area=False,
    prefix='crowdpose',
)
test_evaluator = val_evaluator
