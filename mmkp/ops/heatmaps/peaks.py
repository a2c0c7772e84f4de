# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where maps are highest, as positions in the image."""

import torch
from torch import Tensor

from mmkp.ops.heatmaps.moments import full_precision

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


def peak_positions(maps: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Centre of the highest cell of each map (StableKeypoints, section 3.4).

    Args:
        maps: shape (B, K, h, w), any floating dtype; each cell in the middle of the
            pixels that it covers.
        image_size: (W, H) of the image in pixels.

    Returns:
        (x, y) in pixels, shape (B, K, 2), at least float32, without gradient.
    """
    cells = torch.stack(highest_cells(maps), -1)
    return _to_pixels(cells.to(full_precision(maps[..., :0]).dtype), maps, image_size)


def peak_centroids(
    maps: Tensor, image_size: tuple[int, int], radius: float = 5.0
) -> Tensor:
    """Mean position, weighted by the map, of the cells around its highest one.

    As in the released code of StableKeypoints: sum of weight times position over sum
    of weights + 1e-6, over the cells whose distance from the highest is at most the
    radius.

    Args:
        maps: non-negative, shape (B, K, h, w), any floating dtype; each cell in the
            middle of the pixels that it covers.
        image_size: (W, H) of the image in pixels.
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
    reach = int(min(radius, max(height, width)))
    line = torch.arange(-reach, reach + 1, device=maps.device)
    offset_y, offset_x = (
        o.flatten() for o in torch.meshgrid(line, line, indexing='ij')
    )
    within = offset_x.square() + offset_y.square() <= radius**2
    column, row = (
        cell[..., None] + offset[within]
        for cell, offset in zip(highest_cells(maps), (offset_x, offset_y), strict=True)
    )
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = (row * width + column).where(inside, 0)
    weights = full_precision(maps.flatten(-2).gather(-1, index)) * inside
    cells = torch.stack((column, row), -1).to(weights.dtype)
    total = (weights[..., None] * cells).sum(-2)
    mean = total / (weights.sum(-1, keepdim=True) + EPSILON)
    return _to_pixels(mean, maps, image_size)


def _to_pixels(cells: Tensor, maps: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Pixels of positions in cells, both (x, y) with centres at integers."""
    spacing = cells.new_tensor(
        (image_size[0] / maps.shape[-1], image_size[1] / maps.shape[-2])
    )
    return (cells + 0.5) * spacing - 0.5
