# Embedded data: groups of 2 to 4 figures drawn while they are read, with exact joints.
# Figures are small, and so are Gaussians, limbs and cells. Images are not mirrored: a
# figure's own left sleeve and trouser leg are the darker ones.
codec = dict(
    type='PartAffinityField',
    skeleton='coco18',
    input_size=(128, 128),
    stride=4,
    sigma=3.0,
    limb_half_width=3.0,
    field_alignment='centred',
)
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs', meta_keys=('id', 'img_id', 'img_path')),
]
test_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='BottomupHeightResize', height=128),
    dict(
        type='PackPoseInputs',
        meta_keys=(
            *('id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'input_size'),
            *('input_center', 'input_scale', 'raw_ann_info', 'skeleton_links'),
        ),
    ),
]
data_mode = 'bottomup'
dataset_type = 'PuppetDataset'
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(
        type=dataset_type,
        data_mode=data_mode,
        image_size=128,
        figures=(2, 4),
        seed=0,
        num_images=20000,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_mode=data_mode,
        image_size=128,
        figures=(2, 4),
        seed=1,
        num_images=200,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', score_mode='bbox', nms_mode='none')
test_evaluator = val_evaluator
