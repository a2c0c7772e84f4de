# The network and training of "Real-time 2D Multi-Person Pose Estimation on CPU:
# Lightweight OpenPose" (Osokin, 2018), with one refinement. A child adds a data set and
# the head's codec.
_base_ = ['../../../_base_/default_runtime.py']

model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(  # (BGR - 128) / 256
        type='PoseDataPreprocessor', mean=[128] * 3, std=[256] * 3
    ),
    backbone=dict(type='LightweightMobileNetV1'),
    head=dict(
        type='PartAffinityHead',
        in_channels=512,
        stages=dict(type='LightweightStages', num_refinements=1),
        loss=dict(type='PartAffinityLoss', caffe_scaling=True),
    ),
    test_cfg=dict(flip_test=False),
)

# 280 epochs of COCO's 64115 pictures with people.
optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=4e-5, weight_decay=5e-4),
    paramwise_cfg=dict(
        norm_decay_mult=0,
        bias_decay_mult=0,
        dwconv_decay_mult=0,
        custom_keys={'head.stages.refinements': dict(lr_mult=4)},
    ),
)
param_scheduler = dict(
    type='MultiStepLR', by_epoch=False, milestones=[80000, 160000, 208000], gamma=1 / 3
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=224000, val_interval=8000)
