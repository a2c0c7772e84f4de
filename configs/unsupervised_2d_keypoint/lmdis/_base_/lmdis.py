# What all kinds of LMDIS share: weights of the losses as published. A child adds the
# networks and the size of the images.
model = dict(
    type='LMDIS',
    data_preprocessor=dict(  # RGB in [0, 1]
        type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
    ),
    losses=dict(
        concentration=dict(
            type='ConcentrationLoss',
            loss_weight=100.0,
            both_views=True,
        ),
        separation=dict(
            type='SeparationLoss', loss_weight=20.0, bandwidth=0.08, both_views=True
        ),
        equivariance=dict(
            type='EquivarianceLoss',
            variant='means',
            loss_weight=1e4,
            keypoint_reduction='sum',
        ),
    ),
    test_cfg=dict(untrained_control=True),
)
