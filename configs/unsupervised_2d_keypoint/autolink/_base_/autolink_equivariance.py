# AutoLink with light networks, and Thewlis' two losses beside the reconstruction, which
# alone needs days instead of minutes on a small machine. A child adds the runtime, the
# size of the images and a schedule.
model = dict(
    type='AutoLink',
    data_preprocessor=dict(  # RGB in [-1, 1]
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True
    ),
    # Two halvings only: keypoints are local, and follow the image from the start.
    backbone=dict(type='AutoLinkEncoder', channels=(32, 64)),
    head=dict(
        type='SoftArgmaxHead',
        in_channels=64,
        upsample_channels=(32,),
        alignment='cell_centers',
        logit_scale=4.0,
    ),
    generator=dict(
        type='EdgeMapGenerator',
        thickness=2.5e-3,
        mask_cells=8,
        channels=(16, 32, 64, 64),
        initial_edge_logit=-1.0,
    ),
    view_transform=dict(
        type='RandomThinPlateSpline',
        local_std=0.03,
        rotation_std=15.0,
        brightness=0.2,
        contrast=0.2,
    ),
    losses=dict(
        perceptual=dict(  # layer_weights undo the size of Caffe's activations
            type='PerceptualLoss',
            image_size=None,
            weights='data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz',
            layers=('relu1_2', 'relu2_2', 'relu3_3'),
            layer_weights=(0.05, 0.2, 0.33),
        ),
        equivariance=dict(type='EquivarianceLoss', loss_weight=10.0),
        diversity=dict(type='DiversityLoss', window=4, loss_weight=1.6),
    ),
    test_cfg=dict(untrained_control=True),
)

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'edge_logits': dict(lr_mult=50, decay_mult=0)}),
    clip_grad=dict(max_norm=5.0),
)
