# Several animals an image, of the skeleton that own_skeleton.py says: limbs are derived
# from its links. A small network that learns from scratch on one CPU core; where there
# is a GPU, base_channels=64 and pretrained weights learn more.
_base_ = ['../_base_/mmpose_backbone.py', '../../../_base_/datasets/own_skeleton.py']
codec = dict(
    type='PartAffinityField',
    skeleton=_base_.metainfo,
    input_size=(256, 256),
    stride=4,
    sigma=5.0,
    limb_half_width=4.0,
    field_alignment='centred',
)
data_mode = 'bottomup'
model = dict(
    backbone=dict(
        type='ResNet',
        depth=18,
        stem_channels=32,
        base_channels=32,
        out_indices=(0, 1, 2, 3),  # strides 4, 8, 16 and 32
    ),
    neck=dict(type='FeatureMapProcessor', concat=True),
    head=dict(
        in_channels=32 * (1 + 2 + 4 + 8), feature_channels=64, decoder=codec,
        feature_kernel_size=1,
        stages=dict(channels=64, hidden_channels=128, num_refinements=1),
    ),
)  # fmt: skip
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='PersonScaledAffine', input_size=(256, 256), size_of='longer_side'),
    dict(type='RandomFlip'),
    dict(type='LabeledMask', stride=4),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs', meta_keys=('id', 'img_id', 'img_path')),
]
test_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='BottomupHeightResize', height=256, size_factor=32),
    dict(
        type='PackPoseInputs',
        meta_keys=(
            *('id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'input_size'),
            *('input_center', 'input_scale', 'raw_ann_info', 'skeleton_links'),
        ),
    ),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(_base_.train_data, data_mode=data_mode, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_base_.val_data, data_mode=data_mode, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='BottomupCocoMetric', class_agnostic=True)
test_evaluator = val_evaluator
param_scheduler = [dict(type='LinearLR', by_epoch=False, end=100, start_factor=0.05)]
train_cfg = dict(max_iters=2000, val_interval=500)
