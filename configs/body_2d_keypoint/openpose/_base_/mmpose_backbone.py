# Part affinity fields over a backbone of MMPose. A child names it and adds the runtime.
model = dict(
    type='BottomupPoseEstimator',
    data_preprocessor=dict(  # RGB, normalised as for ImageNet
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    head=dict(
        type='PartAffinityHead',
        stages=dict(type='LightweightStages', num_refinements=2),
        loss=dict(type='PartAffinityLoss', caffe_scaling=True),
    ),
    test_cfg=dict(flip_test=False),
)

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=5e-4, weight_decay=1e-2),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0),
    clip_grad=dict(max_norm=100.0),
)
param_scheduler = [
    dict(type='LinearLR', by_epoch=False, begin=0, end=1000, start_factor=1e-3),
    dict(type='MultiStepLR', by_epoch=False, milestones=[170000, 200000]),
]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=210000, val_interval=5000)
