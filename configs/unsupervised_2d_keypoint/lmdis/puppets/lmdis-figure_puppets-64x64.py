# The demo: 16 keypoints of drawn figures and the edges between them, in three minutes
# of one CPU core. What the border's colours do not explain is the figure: it takes the
# place of the reconstruction, and gives edges their weights.
_base_ = ['./lmdis-light_puppets-64x64.py']

model = dict(
    head=dict(background_logit=1.5),
    generator=dict(
        _delete_=True,
        type='EdgeDrawing',
        num_keypoints=16,
        thickness=2.5e-3,
        initial_edge_logit=-1.0,
    ),
    view_transform=dict(
        _delete_=True,
        type='RandomThinPlateSpline',
        local_std=0.006,
        rotation_std=10.0,
        brightness=0.1,
        contrast=0.2,
    ),
    losses=dict(
        _delete_=True,
        figure=dict(
            type='FigureGroundLoss',
            loss_weight=500.0,
            mass_weight=0.2,
            edge_weight=1.0,
        ),
        concentration=dict(
            type='ConcentrationLoss', loss_weight=200.0, both_views=True
        ),
        separation=dict(
            type='SeparationLoss', loss_weight=10.0, bandwidth=0.08, both_views=True
        ),
        equivariance=dict(
            type='EquivarianceLoss',
            variant='means',
            loss_weight=4e3,
            keypoint_reduction='sum',
        ),
    ),
)
optim_wrapper = dict(
    optimizer=dict(lr=4e-3),
    paramwise_cfg=dict(custom_keys={'edge_logits': dict(lr_mult=25)}),
)
param_scheduler = dict(begin=320, end=800, eta_min_ratio=0.02)
train_cfg = dict(max_iters=800, val_interval=400)
