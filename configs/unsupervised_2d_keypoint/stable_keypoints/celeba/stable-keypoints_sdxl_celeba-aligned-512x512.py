# The same with Stable Diffusion XL, whose tokens are 2048 wide. Not published by the
# authors. It was trained on 1024x1024 pixels: larger images suit it, and cost more.
_base_ = ['./stable-keypoints_celeba-aligned-512x512.py']
model = dict(
    backbone=dict(
        base_model='stabilityai/stable-diffusion-xl-base-1.0',
        # Its first four layers are all in the first of these. At 512x512 pixels they
        # have 16, 16, 16 and 32 cells a side, as those of Stable Diffusion 1.
        layers=(
            'up_blocks.0.attentions.0',
            'up_blocks.0.attentions.1',
            'up_blocks.0.attentions.2',
            'up_blocks.1.attentions.0',
        ),
    ),
    head=dict(token_width=2048),
)
