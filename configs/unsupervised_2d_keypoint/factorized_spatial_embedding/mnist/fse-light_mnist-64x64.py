# 10 keypoints of digits or clothes on black.
_base_ = [
    '../_base_/fse_light_64x64.py',
    '../../../_base_/datasets/mnist_64x64.py',
]
