# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Stable Diffusion with random weights, small enough for tests; needs diffusers."""

import torch

FAMILIES = ('sd1', 'sd2', 'sdxl')
CROSS_DOWN, CROSS_UP = 'CrossAttnDownBlock2D', 'CrossAttnUpBlock2D'


def tiny_config(family='sd1'):
    """``base_model`` of a DiffusionAttention; names and order of layers are SD's."""
    common = dict(
        sample_size=16, in_channels=4, out_channels=4, norm_num_groups=8, dropout=0.0
    )
    four_levels = dict(
        block_out_channels=(32, 32, 64, 64),
        layers_per_block=2,
        down_block_types=(CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, 'DownBlock2D'),
        up_block_types=('UpBlock2D', CROSS_UP, CROSS_UP, CROSS_UP),
    )
    unet = {
        'sd1': dict(four_levels, cross_attention_dim=32, attention_head_dim=4),
        'sd2': dict(
            four_levels,
            cross_attention_dim=48,
            attention_head_dim=(2, 4, 8, 8),
            use_linear_projection=True,
        ),
        'sdxl': dict(
            block_out_channels=(32, 32, 64),
            layers_per_block=2,
            down_block_types=('DownBlock2D', CROSS_DOWN, CROSS_DOWN),
            up_block_types=(CROSS_UP, CROSS_UP, 'UpBlock2D'),
            transformer_layers_per_block=(1, 1, 2),
            cross_attention_dim=40,
            attention_head_dim=(2, 4, 8),
            use_linear_projection=True,
            addition_embed_type='text_time',
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + 16,
        ),
    }[family]
    vae = dict(
        in_channels=3,
        out_channels=3,
        down_block_types=('DownEncoderBlock2D',) * 4,
        up_block_types=('UpDecoderBlock2D',) * 4,
        block_out_channels=(16, 16, 32, 32),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=128,
    )
    return dict(unet={**common, **unet}, vae=vae, seed=0)


def save_tiny_pipeline(folder, family='sd1'):
    """Write ``unet``, ``vae`` and ``scheduler`` as ``save_pretrained`` does.

    Returns:
        The folder, which is a ``base_model``.
    """
    from mmkp.models.token_attention.diffusion_models import load_models

    for name, part in load_models(tiny_config(family))._asdict().items():
        part.save_pretrained(folder / name)
    return folder


def tiny_tokens(number=6, width=32, seed=0):
    """Tokens (N, C) that want a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(number, width, generator=generator).requires_grad_()


def tiny_images(batch=2, size=(64, 64), seed=1):
    """Pictures in [0, 1], (B, 3, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, 3, size[1], size[0], generator=generator)
