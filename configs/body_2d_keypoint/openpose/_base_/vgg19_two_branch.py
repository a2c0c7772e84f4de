# The network and training of "Realtime Multi-Person 2D Pose Estimation using Part
# Affinity Fields" (CVPR 2017). A child adds a data set and gives the head its codec.
_base_ = ['../../../_base_/default_runtime.py']

model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(  # BGR / 256 - 0.5
        type='PoseDataPreprocessor', mean=[128] * 3, std=[256] * 3
    ),
    backbone=dict(type='OpenPoseVGG19', vgg19_weights='torchvision://vgg19'),
    head=dict(
        type='PartAffinityHead',
        in_channels=128,
        stages=dict(type='TwoBranchStages'),
        loss=dict(type='PartAffinityLoss', caffe_scaling=True),
    ),
    test_cfg=dict(flip_test=False),
)

# The rate belongs to Caffe's scaling of the loss, and is 4 times as high from the
# second stage on. Biases of the first ones take twice the rate.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=4e-5, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2,
        bias_decay_mult=0,
        custom_keys={f'branches.{stage}.': dict(lr_mult=4) for stage in range(1, 6)},
    ),
)
param_scheduler = dict(
    type='MultiStepLR',
    by_epoch=False,
    milestones=[136106, 272212, 408318, 544424],
    gamma=1 / 3,
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=600000, val_interval=10000)
