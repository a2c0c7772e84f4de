# The network and training of "OpenPose: Realtime Multi-Person 2D Pose Estimation using
# Part Affinity Fields" (TPAMI 2019). A child adds a data set and the head's codec.
_base_ = ['../../../_base_/default_runtime.py']

model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(  # BGR / 256 - 0.5
        type='PoseDataPreprocessor', mean=[128] * 3, std=[256] * 3
    ),
    backbone=dict(
        type='OpenPoseVGG19', activation='prelu', vgg19_weights='torchvision://vgg19'
    ),
    head=dict(
        type='PartAffinityHead',
        in_channels=128,
        stages=dict(type='FieldsFirstStages'),
        loss=dict(type='PartAffinityLoss', caffe_scaling=True),
    ),
    test_cfg=dict(flip_test=False),
)

# Batches of 10 on each of 4 GPUs in the paper.
optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=1e-4, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={'head.stages': dict(lr_mult=4)}),
)
param_scheduler = dict(
    type='MultiStepLR',
    by_epoch=False,
    milestones=[200000, 300000, 360000, 420000, 480000, 540000, 600000],
    gamma=0.5,
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=600000, val_interval=10000)
