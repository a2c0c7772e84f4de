# Two stacks without heatmaps of their own, which feed back features alone, and SimCC.
# A child adds a data set and the number of keypoints.
_base_ = ['../../../_base_/default_runtime.py', './crops_256x256.py']

labels = dict(
    type='SimCCLabel', input_size=(256, 256), sigma=6.0, simcc_split_ratio=2.0
)
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=labels), _base_.packing]

model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(  # RGB from 0 to 1
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    backbone=dict(type='StackedHourglass', num_stacks=2, num_keypoints=None),
    head=dict(
        type='SimCCHead',
        in_channels=256,
        input_size=labels['input_size'],
        in_featuremap_size=(64, 64),
        simcc_split_ratio=labels['simcc_split_ratio'],
        deconv_out_channels=None,
        loss=dict(type='KLDiscretLoss', use_target_weight=True),
        decoder=labels,
    ),
    test_cfg=dict(flip_test=True),
)

batch_size = 32
optim_wrapper = dict(optimizer=dict(type='Adam', lr=5e-4))
param_scheduler = dict(
    type='MultiStepLR', by_epoch=False, milestones=[200000], gamma=0.2
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=240000, val_interval=8000)
