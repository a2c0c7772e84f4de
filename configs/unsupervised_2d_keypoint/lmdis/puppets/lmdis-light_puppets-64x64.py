# Drawn figures, 16 keypoints, minutes on two CPU cores.
_base_ = [
    '../_base_/lmdis_light_64x64.py',
    '../../../_base_/datasets/puppets_64x64.py',
]
model = dict(head=dict(num_keypoints=16), generator=dict(num_keypoints=16))
