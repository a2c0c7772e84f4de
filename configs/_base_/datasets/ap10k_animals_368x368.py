# All animals of AP-10K, whose skeleton is derived from its metainfo. Animals are
# measured by their longer side, and scored without regard to their species.
_base_ = ['./coco_people_368x368.py']
codec = dict(
    type='PartAffinityField',
    skeleton='AP10KDataset',
    input_size=(368, 368),
    field_alignment='centred',
)
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='PersonScaledAffine', size_of='longer_side'),
    dict(type='RandomFlip'),
    dict(type='LabeledMask'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs', meta_keys=('id', 'img_id', 'img_path')),
]
dataset_type = 'AP10KDataset'
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/ap10k',
        ann_file='annotations/ap10k-train-split1.json',
        data_prefix=dict(img='data/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/ap10k',
        ann_file='annotations/ap10k-val-split1.json',
        data_prefix=dict(img='data/'),
    ),
)
test_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root='data/ap10k',
        ann_file='annotations/ap10k-test-split1.json',
        data_prefix=dict(img='data/'),
    ),
)
val_evaluator = dict(type='BottomupCocoMetric', class_agnostic=True, prefix='ap10k')
test_evaluator = val_evaluator
