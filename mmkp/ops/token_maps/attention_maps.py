# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Attention maps of tokens, as the formula says."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.precision import full_precision


def attention_maps(
    logits: Sequence[Tensor], map_size: tuple[int, int], tokens: Tensor | None = None
) -> Tensor:
    """Attention maps of tokens: mean over layers and heads of a softmax over tokens.

    StableKeypoints (Hedlin et al., CVPR 2024), section 3.1. Logits are upsampled
    bicubically before the softmax. The released code upsamples what queries are made of
    instead; queries and logits are linear in it, so both are equal up to rounding.

    Args:
        logits: one tensor for each layer, shape (B, heads, h, w, N).
        map_size: (W, H) of the maps in cells.
        tokens: which tokens' maps to return for each image, shape (B, k), int64; all
            of them when None. The softmax runs over all tokens in any case.

    Returns:
        Attention in [0, 1], shape (B, N, H, W) or (B, k, H, W), at least float32.
    """
    width, height = map_size
    found = []
    for layer in logits:
        channels = full_precision(layer).permute(0, 1, 4, 2, 3)
        upsampled = F.interpolate(
            channels.flatten(1, 2), (height, width), mode='bicubic', align_corners=False
        )
        attention = upsampled.view(*channels.shape[:3], height, width).softmax(2)
        found.append(attention.mean(1))
    maps = torch.stack(found).mean(0)
    if tokens is None:
        return maps
    return maps.gather(1, tokens[:, :, None, None].expand(-1, -1, height, width))
