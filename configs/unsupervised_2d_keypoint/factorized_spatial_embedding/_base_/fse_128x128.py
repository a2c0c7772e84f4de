# Factorized spatial embeddings with the settings of their public code (FSE): images of
# 146x146 warped and cut to 128x128, batch 32, 10,000 steps, two rounds of CelebA.
# A child adds a data set and the number of keypoints.
#
# Left out is what looks like an oversight there: a ReLU before the softmax
# (`head.final_relu=True`), and pooling windows inside the map only, which count mass at
# the border as shared (`DiversityLoss(variant='count_minus_max', padded=False)`).
_base_ = ['../../../_base_/default_runtime.py']

batch_size = 32
pipeline = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(146, 146)),
    dict(type='PackPoseInputs'),
]

model = dict(
    type='FactorizedSpatialEmbedding',
    data_preprocessor=dict(  # RGB in [-1, 1]
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True
    ),
    backbone=dict(type='ThewlisNet'),
    head=dict(
        type='SoftArgmaxHead',
        in_channels=256,
        upsample_channels=(),
        kernel_size=5,
        padding='valid',
        # Without padding the first of 42 cells looks at pixel 22.5, the next one at
        # 24.5.
        alignment=dict(first=22.5, spacing=2.0),
        final_norm=True,
        init_std=0.02,
    ),
    first_view_transform=dict(type='RandomAffineWarp', preset='fse_first'),
    view_transform=dict(type='RandomAffineWarp', preset='fse_second'),
    crop_margin=9,
    losses=dict(
        equivariance=dict(
            type='EquivarianceLoss',
            # FSE's release measures in cells of 2 pixels, the loss in half of the side
            # of 128 pixels: the weight 1 of the release in that unit.
            loss_weight=(127 / 2 / 2) ** 2,
        ),
        # 500 on each view
        diversity=dict(
            type='DiversityLoss', window=4, both_views=True, loss_weight=1000.0
        ),
    ),
    test_cfg=dict(untrained_control=True),
)

optim_wrapper = dict(
    optimizer=dict(type='Adam', lr=1e-4, betas=(0.5, 0.999), weight_decay=5e-4),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=10000, val_interval=1000)
