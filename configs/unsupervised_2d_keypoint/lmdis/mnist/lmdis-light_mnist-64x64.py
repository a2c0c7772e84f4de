# 10 keypoints of digits or clothes on black.
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/datasets/mnist_64x64.py',
]
param_scheduler = dict(begin=300, end=600)
train_cfg = dict(max_iters=600, val_interval=300)
