# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Gaussians at the highest cells of maps, which are what maps should look like."""

import torch
from torch import Tensor

from mmkp.ops.map_peaks import highest_cells
from mmkp.ops.moments import full_precision


def peak_gaussians(maps: Tensor, sigma: float) -> Tensor:
    """Gaussians of height 1 at the highest cell of each map.

    Args:
        maps: shape (..., h, w).
        sigma: standard deviation in cells.

    Returns:
        Shape (..., h, w), without gradient, at least float32.
    """
    columns, rows = peak_gaussian_lines(maps, sigma)
    return rows[..., :, None] * columns[..., None, :]


def peak_gaussian_lines(maps: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """The two lines whose products are the Gaussians of :func:`peak_gaussians`.

    Args:
        maps: shape (..., h, w).
        sigma: standard deviation in cells.

    Returns:
        Along x, shape (..., w), and along y, (..., h).
    """
    like = full_precision(maps.detach())
    lines = []
    for cell, number in zip(highest_cells(like), maps.shape[-1:-3:-1], strict=True):
        cells = torch.arange(number, device=maps.device, dtype=like.dtype)
        offset = cells - cell[..., None]
        lines.append((-0.5 / sigma**2 * offset.square()).exp())
    return lines[0], lines[1]
