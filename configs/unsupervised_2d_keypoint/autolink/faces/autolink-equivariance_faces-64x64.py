# 10 keypoints of face crops as they are, by AutoLink with equivariance.
_base_ = [
    '../_base_/autolink_equivariance_64x64.py',
    '../../../_base_/datasets/faces_64x64.py',
]
