# The demo: 12 keypoints of drawn figures, minutes on two CPU cores.
_base_ = [
    '../_base_/autolink_equivariance_64x64.py',
    '../../../_base_/datasets/puppets_64x64.py',
]
model = dict(
    head=dict(num_keypoints=12),
    generator=dict(num_keypoints=12, mask_ratio=0.9),
    losses=dict(perceptual=dict(base_channels=16)),
)
