# HRNet-w32 at its stride of 4; takes sizes that are multiples of 32.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/backbones/hrnet_w32.py',
    './mmpose_backbone.py',
]

model = dict(
    backbone=dict(_base_.hrnet_w32, init_cfg=_base_.imagenet_weights),
    head=dict(in_channels=32),
)
