# What the light models share: a head without zero padding and the two views, by
# thin-plate splines as in the paper and colour jitter, without which short trainings
# are unstable. A child adds the detector, the losses and a schedule.
model = dict(
    type='FactorizedSpatialEmbedding',
    data_preprocessor=dict(  # RGB in [-1, 1]
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True
    ),
    head=dict(
        type='SoftArgmaxHead',
        padding='reflect',
        alignment='cell_centers',
        logit_scale=4.0,
    ),
    first_view_transform=dict(
        type='RandomThinPlateSpline',
        local_std=0.015,
        rotation_std=7.5,
        scale_std=0.05,
        translation_std=0.05,
        brightness=0.2,
        contrast=0.2,
    ),
    view_transform=dict(
        type='RandomThinPlateSpline',
        local_std=0.03,
        rotation_std=15.0,
        brightness=0.2,
        contrast=0.2,
    ),
)
