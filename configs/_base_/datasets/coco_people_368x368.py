# All people of COCO's pictures: crops around one of them in training, whole pictures of
# height 368 in tests. The other data sets of people inherit from here.
codec = dict(
    type='PartAffinityField',
    skeleton='coco18',
    input_size=(368, 368),
    field_alignment='centred',
)
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='PersonScaledAffine', input_size=codec['input_size']),
    dict(type='RandomFlip'),
    dict(type='LabeledMask'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs', meta_keys=('id', 'img_id', 'img_path')),
]
test_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='BottomupHeightResize', height=368, size_factor=16),
    dict(
        type='PackPoseInputs',
        meta_keys=(  # category_id would be a list, which CocoMetric cannot take
            *('id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'crowd_index'),
            *('input_size', 'input_center', 'input_scale', 'aug_scales'),
            *('flip_indices', 'skeleton_links', 'raw_ann_info'),
        ),
    ),
]
data_mode = 'bottomup'
dataset_type = 'CocoDataset'
train_dataloader = dict(
    batch_size=10,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type=dataset_type,
        data_mode=data_mode,
        data_root='data/coco',
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_mode=data_mode,
        data_root='data/coco',
        ann_file='annotations/person_keypoints_val2017.json',
        data_prefix=dict(img='val2017/'),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', score_mode='bbox', nms_mode='none')
test_evaluator = val_evaluator
