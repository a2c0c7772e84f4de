# IMM for a small machine, with two losses of Thewlis beside the generation.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/pipelines/whole_images_64x64.py',
]

model = dict(
    type='IMM',
    data_preprocessor=dict(  # RGB in [-1, 1]
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True
    ),
    backbone=dict(
        type='LMDISHourglass',
        encoder=((32,), (32,)),
        bottleneck=(32,),
        decoder=((32,), (32,), (32,)),
        stem_stride=2,
        skip_convolutions=1,
        norm_momentum=0.05,
    ),
    head=dict(
        type='SoftArgmaxHead',
        in_channels=32,
        upsample_channels=(),
        padding='reflect',
        alignment='cell_centers',
        logit_scale=4.0,
    ),
    generator=dict(
        type='IMMGenerator',
        encoder=dict(type='AutoLinkEncoder', channels=(32, 64)),
        in_channels=64,
        channels=(64, 32, 16),
    ),
    first_view_transform=dict(type='RandomThinPlateSpline', preset='imm_target'),
    view_transform=dict(type='RandomThinPlateSpline', preset='imm_source'),
    losses=dict(
        # The weights undo the size of the squares of Caffe's activations.
        perceptual=dict(
            type='PerceptualLoss',
            distance='l2',
            weights='data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz',
            layers=('relu1_2', 'relu2_2', 'relu3_3'),
            layer_weights=(2e-4, 1e-3, 5e-3),
            image_size=32,
        ),
        pixels=dict(type='SquaredErrorLoss', loss_weight=4.07e-4),
        equivariance=dict(type='EquivarianceLoss', loss_weight=5.0),
        diversity=dict(type='DiversityLoss', window=4, loss_weight=1.6),
    ),
    test_cfg=dict(untrained_control=True),
)

adam = dict(type='Adam', lr=2e-3)
optim_wrapper = dict(optimizer=adam, clip_grad=dict(max_norm=5.0))
param_scheduler = dict(
    type='CosineAnnealingLR', by_epoch=False, begin=150, end=300, eta_min_ratio=0.05
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=300, val_interval=150)
