# CelebA aligned, scored on MAFL, K=10.
_base_ = [
    '../_base_/fse_128x128.py',
    '../../../_base_/datasets/celeba_aligned_146x146.py',
]
model = dict(head=dict(num_keypoints=10))
