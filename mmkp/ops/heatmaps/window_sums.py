# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Sums over all windows of a map, in a few additions whatever their size."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.precision import in_full_precision


@in_full_precision
def window_sums(maps: Tensor, window: int, padded: bool = False) -> Tensor:
    """Sum over every window of m x m cells, one cell apart.

    As ``m^2 * avg_pool2d(maps, m, stride=1)``, by doubling: about 2 log2(m) additions a
    cell instead of m^2, and nothing is kept for the gradient.

    Args:
        maps: shape (B, K, h, w), floating, h and w at least m unless padded.
        window: side m of the window in cells, at least 1.
        padded: surround the maps by m - 1 empty cells, so that each of their cells
            lies in m^2 windows; else windows lie inside the map.

    Returns:
        Sums, shape (B, K, h - m + 1, w - m + 1), or plus m - 1 if padded, at least
        float32.
    """
    return _WindowSums.apply(maps, window, padded)


class _WindowSums(torch.autograd.Function):
    """The gradient of padded sums are sums inside, and the other way round."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, window: int, padded: bool) -> Tensor:
        ctx.window, ctx.padded = window, padded
        if padded:
            maps = F.pad(maps, (window - 1,) * 4)
        return _sums_along(_sums_along(maps, window, -1), window, -2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _WindowSums.apply(gradient, ctx.window, not ctx.padded), None, None


def _sums_along(maps: Tensor, window: int, axis: int) -> Tensor:
    """Sums of ``window`` neighbours on one axis, from blocks of 1, 2, 4, ... cells."""
    length = maps.shape[axis] - window + 1
    total, start = None, 0
    block, size = maps, 1
    while True:
        if window & size:
            part = block.narrow(axis, start, length)
            total = part if total is None else total + part
            start += size
        if 2 * size > window:
            return total.contiguous() if total is not None else maps
        rest = block.shape[axis] - size
        block = block.narrow(axis, 0, rest) + block.narrow(axis, size, rest)
        size *= 2
