# COCO's people with the feet that COCO-WholeBody labels. Feet that nobody labelled are
# left out of the loss; body and feet are scored apart.
_base_ = ['./bottomup.py']
skeleton = 'body25'
dataset_type = 'CocoBodyFootDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/coco',
        ann_file='annotations/coco_wholebody_train_v1.0.json',
        data_prefix=dict(img='train2017/'),
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/coco',
        ann_file='annotations/coco_wholebody_val_v1.0.json',
        data_prefix=dict(img='val2017/'),
    ),
)
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='BottomupCocoMetric', keypoints=list(range(17)), prefix='body'),
    dict(
        type='BottomupCocoMetric',
        keypoints=list(range(17, 23)),
        annotation_keys=('keypoints', 'foot_kpts'),
        prefix='foot',
    ),
]
test_evaluator = val_evaluator
