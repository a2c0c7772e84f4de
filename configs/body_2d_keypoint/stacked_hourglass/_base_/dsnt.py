# Two stacks without heatmaps of their own, which feed back features alone, and DSNT.
# A child adds a data set and the number of keypoints.
_base_ = ['../../../_base_/default_runtime.py', './crops_256x256.py']

codec = dict(_base_.codec, type='IntegralRegressionLabel', sigma=2.0)
train_pipeline = [*_base_.augment, dict(_base_.target, encoder=codec), _base_.packing]

model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(  # RGB from 0 to 1
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    backbone=dict(type='StackedHourglass', num_stacks=2, num_keypoints=None),
    head=dict(
        type='DSNTHead',
        in_channels=256,
        in_featuremap_size=(64, 64),
        deconv_out_channels=None,
        loss=dict(
            type='MultipleLossWrapper',
            losses=[
                dict(type='SmoothL1Loss', use_target_weight=True),
                dict(type='JSDiscretLoss', use_target_weight=True),
            ],
        ),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, shift_coords=True, shift_heatmap=True),
)

batch_size = 32
optim_wrapper = dict(optimizer=dict(type='Adam', lr=5e-4))
param_scheduler = dict(
    type='MultiStepLR', by_epoch=False, milestones=[200000], gamma=0.2
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=240000, val_interval=8000)
