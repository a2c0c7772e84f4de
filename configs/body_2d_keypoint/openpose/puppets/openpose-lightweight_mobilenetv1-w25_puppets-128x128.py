# A network for minutes on a CPU: groups of figures, features of stride 4.
_base_ = [
    '../_base_/lightweight.py',
    '../../../_base_/datasets/puppet_groups_128x128.py',
]
model = dict(
    backbone=dict(width=0.25, out_stride=4),
    head=dict(
        in_channels=128,
        stages=dict(channels=48, hidden_channels=96),
        decoder=_base_.codec,
    ),
)
optim_wrapper = dict(
    _delete_=True,
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=1e-4),
    clip_grad=dict(max_norm=100.0),
)
param_scheduler = dict(
    _delete_=True, type='OneCycleLR', by_epoch=False, eta_max=2e-3, total_steps=1200
)
train_cfg = dict(max_iters=1200, val_interval=600)
