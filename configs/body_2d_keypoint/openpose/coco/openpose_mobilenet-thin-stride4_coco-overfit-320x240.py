# Can it learn at all? 100 whole pictures by heart, without augmentation, tested on the
# same. Maps of stride 4, since the pictures are small. It begins with the backbone that
# tools/model_converters/tfpose_to_mmkp.py converts.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/datasets/coco_people_368x368.py',
]
size = (320, 240)
codec = dict(
    type='PartAffinityField',
    skeleton='coco18',
    input_size=size,
    stride=4,
    sigma=5.0,
    limb_half_width=5.0,
    field_alignment='openpose',
)
model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),  # BGR, 0 to 255
    backbone=dict(
        type='MobileNetThin',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/mobilenet_thin.pth',
            prefix='backbone.',
        ),
    ),
    neck=dict(type='FeatureMapProcessor', scale_factor=2.0),  # stride 8 to 4
    head=dict(
        type='PartAffinityHead',
        in_channels=864,
        stages=dict(
            type='LightweightStages',
            num_refinements=0,
            channels=96,
            hidden_channels=256,
        ),
        loss=dict(type='PartAffinityLoss', caffe_scaling=True),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=False),
)
train_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(  # the whole picture, padded
        type='BottomupRandomAffine',
        input_size=size,
        shift_factor=0.0,
        scale_factor=(1.0, 1.0),
        rotate_factor=0.0,
        scale_type='long',
        pad_val=128,
    ),
    dict(type='LabeledMask', stride=4),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs', meta_keys=('id', 'img_id', 'img_path')),
]
test_pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='BottomupResize', input_size=size, size_factor=8, pad_val=[128] * 3),
    _base_.test_pipeline[-1],
]
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(
    dataset=dict(
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
        pipeline=test_pipeline,
    )
)
val_dataloader = test_dataloader
optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=5e-4, betas=(0.9, 0.99)),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.3))),
)
max_iters = 8000
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, end=100, start_factor=0.05),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=max_iters),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=1000)
