# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Attention maps in the memory of a few of their rows, in the backward pass too.

Bicubic upsampling is a product with a small matrix along each axis, so rows of the maps
can be computed by themselves; the backward pass makes them anew from the logits.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mmkp.ops.accelerators import working_set
from mmkp.ops.precision import full_precision


def attention_maps_by_rows(
    logits: Sequence[Tensor],
    map_size: tuple[int, int],
    tokens: Tensor | None = None,
    memory_limit: float | None = None,
) -> Tensor:
    """Attention maps of tokens (StableKeypoints, section 3.1), by rows.

    The same as :func:`~mmkp.ops.token_maps.attention_maps.attention_maps`, in a third
    of the time or less.

    Args:
        logits: see there.
        map_size: see there.
        tokens: see there.
        memory_limit: bytes that may be taken in between, beyond input and output; those
            of the device when None, see :mod:`mmkp.ops.accelerators`; infinity for all
            rows at once, whatever the batch, as in graphs.

    Returns:
        Attention in [0, 1], shape (B, N, H, W) or (B, k, H, W), at least float32.

    Raises:
        ValueError: there is no layer, or layers that do not belong together.
    """
    if not logits:
        raise ValueError('attention maps need the logits of at least one layer')
    batch, tokens_of_first = logits[0].shape[0], logits[0].shape[-1]
    # A set of sizes would tie a graph to the batch that it was made with.
    if any(
        layer.dim() != 5
        or layer.shape[0] != batch
        or layer.shape[-1] != tokens_of_first
        for layer in logits
    ):
        shapes = [tuple(layer.shape) for layer in logits]
        raise ValueError(
            'logits must be (batch, heads, h, w, tokens) with one batch and one '
            f'number of tokens, got {shapes}'
        )
    if memory_limit is None:
        memory_limit = working_set(logits[0].device)
    maps = []
    for layer in map(full_precision, logits):
        columns = bicubic_matrix(layer.shape[3], map_size[0], layer)
        rows = bicubic_matrix(layer.shape[2], map_size[1], layer)
        parts = _parts(rows, layer, map_size[0], memory_limit)
        # What fits at once may be kept for the backward pass.
        anew = torch.is_grad_enabled() and len(parts) > 1
        compute = _made_anew if anew else _sum_over_heads
        found = [compute(layer, part, columns, tokens) for part in parts]
        maps.append(torch.cat(found, 1) / (len(logits) * layer.shape[1]))
    return sum(maps[1:], maps[0]).permute(0, 3, 1, 2).contiguous()


def bicubic_matrix(num_in: int, num_out: int, like: Tensor) -> Tensor:
    """Bicubic resampling along one axis, as a matrix.

    Args:
        num_in: number of cells before.
        num_out: number of cells after.
        like: tensor whose dtype and device the result takes.

    Returns:
        Weights, shape (num_out, num_in), each row of sum 1: those of
        ``F.interpolate(mode='bicubic', align_corners=False)``, which is this along
        one axis and then along the other.
    """
    unit = torch.eye(num_in, dtype=like.dtype, device=like.device)
    resampled = F.interpolate(
        unit[:, None, :, None], (num_out, 1), mode='bicubic', align_corners=False
    )
    return resampled[:, 0, :, 0].T.contiguous()


def _parts(
    rows: Tensor, logits: Tensor, width: int, memory_limit: float
) -> tuple[Tensor, ...]:
    """Rows that fit in memory at once."""
    if memory_limit == math.inf:
        return (rows,)
    row_bytes = logits[:, :, 0, 0].numel() * logits.element_size()
    row_bytes *= 2 * width + 2 * logits.shape[3]
    return rows.split(max(1, int(memory_limit // row_bytes)))


def _sum_over_heads(
    logits: Tensor, rows: Tensor, columns: Tensor, tokens: Tensor | None
) -> Tensor:
    """Attention (B, r, W, N or k) of logits (B, heads, h, w, N) in r rows of a map."""
    with torch.autocast(logits.device.type, enabled=False):
        upsampled = (rows @ logits.flatten(3)).unflatten(-1, logits.shape[3:])
        attention = (columns @ upsampled).softmax(-1)
        if tokens is not None:
            shape = (*attention.shape[:-1], tokens.shape[1])
            attention = attention.gather(-1, tokens[:, None, None, None].expand(shape))
        return attention.sum(1)


def _made_anew(*args: Tensor | None) -> Tensor:
    """Attention as of :func:`_sum_over_heads`, computed again in the backward pass."""
    return checkpoint(
        _sum_over_heads, *args, use_reentrant=False, preserve_rng_state=False
    )
