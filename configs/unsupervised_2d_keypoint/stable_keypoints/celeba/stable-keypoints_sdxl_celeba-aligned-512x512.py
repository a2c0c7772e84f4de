# The same with Stable Diffusion XL, whose tokens are 2048 wide. Not published by the
# authors.
_base_ = ['./stable-keypoints_celeba-aligned-512x512.py']
model = dict(
    backbone=dict(base_model='stabilityai/stable-diffusion-xl-base-1.0'),
    head=dict(token_width=2048),
)
