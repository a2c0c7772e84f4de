# 10 keypoints of people who exercise, by AutoLink with equivariance.
_base_ = [
    '../_base_/autolink_equivariance_64x64.py',
    '../../../_base_/datasets/actions_64x64.py',
]
