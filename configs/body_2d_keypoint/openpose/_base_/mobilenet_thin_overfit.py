# The thin MobileNet of tf-pose, to learn few small pictures by heart: maps of stride 4,
# one stage, no augmentation. A child adds a data set and the head's codec.
_base_ = ['../../../_base_/default_runtime.py']

model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),  # BGR, 0 to 255
    backbone=dict(  # weights that tools/model_converters/tfpose_to_mmkp.py converts
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
    ),
    test_cfg=dict(flip_test=False),
)
optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=5e-4, betas=(0.9, 0.99)),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.3))),
)
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, end=100, start_factor=0.05),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=8000),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=8000, val_interval=1000)
