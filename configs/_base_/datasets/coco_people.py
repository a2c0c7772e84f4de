# All people of COCO's pictures.
_base_ = ['./bottomup.py']
skeleton = 'coco18'
dataset_type = 'CocoDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/coco',
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/coco',
        ann_file='annotations/person_keypoints_val2017.json',
        data_prefix=dict(img='val2017/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', score_mode='bbox', nms_mode='none')
test_evaluator = val_evaluator
