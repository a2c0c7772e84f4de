# COCO's people, trained in their annotated boxes and tested in detected ones.
_base_ = ['./topdown.py']
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
        bbox_file='data/coco/person_detection_results/'
        'COCO_val2017_detections_AP_H_56_person.json',
        data_prefix=dict(img='val2017/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='CocoMetric',
    ann_file='data/coco/annotations/person_keypoints_val2017.json',
)
test_evaluator = val_evaluator
