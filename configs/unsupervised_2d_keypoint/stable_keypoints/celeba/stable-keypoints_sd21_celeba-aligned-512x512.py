# The same with Stable Diffusion 2.1, whose tokens are 1024 wide. `-base` is the network
# of 512x512 pixels; that of 768x768 fits as well. Not published by the authors.
_base_ = ['./stable-keypoints_celeba-aligned-512x512.py']
model = dict(
    backbone=dict(base_model='stabilityai/stable-diffusion-2-1-base'),
    head=dict(token_width=1024),
)
