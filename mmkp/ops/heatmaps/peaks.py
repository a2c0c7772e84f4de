# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Peaks of maps: the highest cell, and the position between cells around it."""

import functools

import torch
from torch import Tensor

from mmkp.ops.geometry import MapGeometry
from mmkp.ops.precision import full_precision, in_full_precision

# What the released code adds to the sum of weights before it divides by it.
EPSILON = 1e-6


def highest_cells(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Column and row of the highest cell of each map, of equal ones the first.

    Args:
        maps: shape (..., h, w).

    Returns:
        Column and row, int64, each of shape (...).
    """
    index = maps.flatten(-2).argmax(-1)
    width = maps.shape[-1]
    return index % width, torch.div(index, width, rounding_mode='floor')


def peak_positions(maps: Tensor, geometry: MapGeometry) -> Tensor:
    """Center of the highest cell of each map (StableKeypoints, section 3.4).

    Args:
        maps: shape (B, K, h, w), any floating dtype.
        geometry: where their cells lie.

    Returns:
        (x, y) in pixels, shape (B, K, 2), at least float32, without gradient.
    """
    cells = torch.stack(highest_cells(maps), -1)
    return geometry.to_pixels(cells.to(full_precision(maps[..., :0]).dtype))


@in_full_precision
def peak_centroids(maps: Tensor, geometry: MapGeometry, radius: float = 5.0) -> Tensor:
    """Mean position, weighted by the map, of the cells around its highest one.

    As in the released code of StableKeypoints: sum of weight times position over sum
    of weights + 1e-6, over the cells whose distance from the highest is at most the
    radius.

    Args:
        maps: non-negative, shape (B, K, h, w), any floating dtype.
        geometry: where their cells lie.
        radius: in cells, at least 0.

    Returns:
        (x, y) in pixels, shape (B, K, 2), at least float32, differentiable in the maps
        around their peaks.

    Raises:
        ValueError: the radius is negative.
    """
    if not radius >= 0:
        raise ValueError(f'radius is {radius} cells, must be 0 (the peak) or more')
    height, width = maps.shape[-2:]
    reach = min(radius, max(height, width))
    column, row = (
        cell[..., None] + offset
        for cell, offset in zip(
            highest_cells(maps), _disk(radius, int(reach), maps.device), strict=True
        )
    )
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = (row * width + column).where(inside, 0)
    weights = maps.flatten(-2).gather(-1, index) * inside
    cells = torch.stack((column, row), -1).to(weights.dtype)
    total = (weights[..., None] * cells).sum(-2)
    mean = total / (weights.sum(-1, keepdim=True) + EPSILON)
    return geometry.to_pixels(mean)


@functools.lru_cache(maxsize=64)
def _disk(radius: float, reach: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Columns and rows of the cells around a cell; kept, as their number is read."""
    with torch.inference_mode(False):
        line = torch.arange(-reach, reach + 1, device='cpu')
        y, x = (o.flatten() for o in torch.meshgrid(line, line, indexing='ij'))
        within = x.square() + y.square() <= radius**2
        return x[within].to(device), y[within].to(device)


def locate_maxima(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Find the highest cell of each map and lean a quarter to its higher neighbours.

    The step is taken along both axes or, at the border of the map, along none, as in
    the author's evaluation (Newell et al., section 4.1).

    Args:
        heatmaps: (..., h, w), float. NaN and infinity are lower than anything.

    Returns:
        Positions (x, y) in cells, (..., 2), and the values there, (...,), float32; 0
        of maps without any finite value.
    """
    maps = heatmaps.float()
    maps = torch.where(maps.isfinite(), maps, -torch.inf)
    height, width = maps.shape[-2:]
    x, y = highest_cells(maps)
    flat, cells = maps.flatten(-2), y * width + x
    inside = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)

    def value(offset: int) -> Tensor:
        neighbors = (cells + offset).clamp(0, height * width - 1)
        return flat.gather(-1, neighbors[..., None])[..., 0]

    steps = torch.stack([value(1) - value(-1), value(width) - value(-width)], -1)
    steps = torch.where(inside[..., None], steps.nan_to_num(0.0).sign() / 4, 0.0)
    scores = value(0)
    scores = torch.where(scores.isfinite(), scores, 0.0)
    return torch.stack([x, y], -1) + steps, scores
