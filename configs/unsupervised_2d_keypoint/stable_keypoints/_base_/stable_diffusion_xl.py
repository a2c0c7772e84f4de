# The attention of Stable Diffusion XL at the sizes of that of Stable Diffusion 1.
stable_diffusion_xl = dict(
    base_model='stabilityai/stable-diffusion-xl-base-1.0',
    # Its first four layers are all in the first of these. At 512x512 pixels they have
    # 16, 16, 16 and 32 cells a side, as those of Stable Diffusion 1.
    layers=(
        'up_blocks.0.attentions.0',
        'up_blocks.0.attentions.1',
        'up_blocks.0.attentions.2',
        'up_blocks.1.attentions.0',
    ),
)
# With several GPUs each keeps a share of the 2.6 billion weights; one keeps them all.
model_wrapper_cfg = dict(type='mmpose.ShardedFrozenDataParallel')
