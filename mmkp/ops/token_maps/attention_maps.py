# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Attention to tokens at the resolution of maps, in the memory of a few rows."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.heatmaps.moments import full_precision

# About what a processor keeps in its caches; a GPU is busy with as much.
MEMORY_LIMIT = 16 * 2**20


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


def token_maps(
    logits: Sequence[Tensor],
    map_size: tuple[int, int],
    tokens: Tensor | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> Tensor:
    """Mean attention of layers and heads to each token (StableKeypoints, section 3.1).

    Logits are upsampled bicubically and turned into probabilities over the tokens.
    The released code upsamples what queries are made of instead; queries and logits
    are linear in it, so both are equal up to rounding. Here the tensors of the size of
    the map exist for a few rows at a time, in the backward pass too, which makes them
    anew from the logits.

    Args:
        logits: one tensor for each layer, shape (B, heads, h, w, N).
        map_size: (W, H) of the maps in cells.
        tokens: which tokens' maps to return for each image, shape (B, k), int64; all
            of them when None. The softmax runs over all tokens in any case.
        memory_limit: bytes that may be taken in between, beyond input and output.

    Returns:
        Attention in [0, 1], shape (B, N, H, W) or (B, k, H, W), at least float32.

    Raises:
        ValueError: there is no layer, or layers that do not belong together.
    """
    if not logits:
        raise ValueError('token_maps needs the logits of at least one layer')
    ends = {(layer.shape[0], layer.shape[-1]) for layer in logits}
    if len(ends) > 1 or any(layer.dim() != 5 for layer in logits):
        shapes = [tuple(layer.shape) for layer in logits]
        raise ValueError(
            'logits must be (batch, heads, h, w, tokens) with one batch and one '
            f'number of tokens, got {shapes}'
        )
    precise = [full_precision(layer) for layer in logits]
    return _TokenMaps.apply(map_size, tokens, memory_limit, *precise)


class _TokenMaps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        map_size: tuple[int, int],
        tokens: Tensor | None,
        memory_limit: int,
        *logits: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(*logits)
        ctx.settings = map_size, tokens, memory_limit
        width, height = map_size
        batch, num_tokens = logits[0].shape[0], logits[0].shape[-1]
        number = num_tokens if tokens is None else tokens.shape[1]
        total = logits[0].new_zeros(batch, height, width, number)
        for layer in logits:
            share = 1 / (len(logits) * layer.shape[1])
            upsampling = _Upsampling(layer, map_size, memory_limit)
            for image in range(batch):
                for rows, attention in upsampling.attention(layer[image]):
                    if tokens is not None:
                        attention = attention[..., tokens[image]]
                    total[image, rows].add_(attention.sum(0), alpha=share)
        return total.permute(0, 3, 1, 2).contiguous()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        logits = ctx.saved_tensors
        map_size, tokens, memory_limit = ctx.settings
        of_cells = gradient.permute(0, 2, 3, 1).contiguous()
        found: list[Tensor | None] = []
        for layer, needed in zip(logits, ctx.needs_input_grad[3:], strict=True):
            if not needed:
                found.append(None)
                continue
            of_layer = torch.zeros_like(layer, memory_format=torch.contiguous_format)
            share = 1 / (len(logits) * layer.shape[1])
            upsampling = _Upsampling(layer, map_size, memory_limit)
            for image in range(len(layer)):
                chosen = None if tokens is None else tokens[image]
                for rows, attention in upsampling.attention(layer[image]):
                    slope = share * of_cells[image, rows]
                    _softmax_backward_(attention, slope, chosen)
                    upsampling.add_transposed_(of_layer[image], rows, attention)
            found.append(of_layer)
        return (None, None, None, *found)


def _softmax_backward_(p: Tensor, slope: Tensor, tokens: Tensor | None) -> Tensor:
    """Put the gradient of the logits in place of probabilities (heads, r, W, N)."""
    if tokens is None:
        mean = (p * slope).sum(-1, keepdim=True)
        return p.mul_(slope - mean)
    # All other tokens have slope 0.
    weighted = p[..., tokens] * slope
    p.mul_(-weighted.sum(-1, keepdim=True))
    return p.index_add_(-1, tokens, weighted)


class _Upsampling:
    """Rows of a layer's upsampled attention, for one image at a time.

    Args:
        layer: logits, shape (B, heads, h, w, N).
        map_size: (W, H) in cells.
        memory_limit: bytes for the tensors of some rows.
    """

    def __init__(
        self, layer: Tensor, map_size: tuple[int, int], memory_limit: int
    ) -> None:
        _, heads, height, width, num_tokens = layer.shape
        self.num_rows = map_size[1]
        self.columns = bicubic_matrix(width, map_size[0], layer)
        self.rows = bicubic_matrix(height, map_size[1], layer)
        row = heads * num_tokens * layer.element_size() * (2 * map_size[0] + 2 * width)
        self.step = max(1, min(self.num_rows, memory_limit // row))

    def attention(self, logits: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Yield rows and their attention (heads, r, W, N) from (heads, h, w, N)."""
        heads, _, width, num_tokens = logits.shape
        flat = logits.flatten(2)
        for start in range(0, self.num_rows, self.step):
            rows = slice(start, min(start + self.step, self.num_rows))
            of_rows = (self.rows[rows] @ flat).view(heads, -1, width, num_tokens)
            yield rows, torch.softmax(self.columns @ of_rows, -1)

    def add_transposed_(self, total: Tensor, rows: slice, gradient: Tensor) -> None:
        """Add what a gradient of rows (heads, r, W, N) means to (heads, h, w, N)."""
        of_rows = (self.columns.T @ gradient).flatten(2)
        total.flatten(2).add_(self.rows[rows].T @ of_rows)
