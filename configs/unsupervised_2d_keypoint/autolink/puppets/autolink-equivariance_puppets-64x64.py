# Drawn figures, 16 keypoints, minutes on two CPU cores.
_base_ = [
    '../_base_/autolink_equivariance_64x64.py',
    '../../../_base_/datasets/puppets_64x64.py',
]
model = dict(
    head=dict(num_keypoints=16),
    generator=dict(num_keypoints=16, mask_ratio=0.9),
    losses=dict(
        perceptual=dict(base_channels=16, layers=('relu1_2', 'relu2_2', 'relu3_3')),
        equivariance=dict(loss_weight=5.0),
    ),
)
optim_wrapper = dict(
    optimizer=dict(lr=2e-3),
    paramwise_cfg=dict(custom_keys={'edge_logits': dict(lr_mult=25)}),
)
param_scheduler = dict(begin=400, end=800)
train_cfg = dict(max_iters=800, val_interval=400)
