# COCO's people with the feet that COCO-WholeBody labels. Feet that nobody labelled are
# left out of the loss; body and feet are scored apart.
_base_ = ['./coco_people_368x368.py']
codec = dict(
    type='PartAffinityField',
    skeleton='body25',
    input_size=(368, 368),
    field_alignment='centred',
)
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='PersonScaledAffine', scale_range=(1 / 3, 1.1), rotation=45.0),
    dict(type='RandomFlip'),
    dict(type='LabeledMask'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs', meta_keys=('id', 'img_id', 'img_path')),
]
dataset_type = 'CocoBodyFootDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        ann_file='annotations/coco_wholebody_train_v1.0.json',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type, ann_file='annotations/coco_wholebody_val_v1.0.json'
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
