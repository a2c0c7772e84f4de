# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Gaussian patches around cells, and the maxima of heatmaps."""

import numpy as np
import torch
from torch import Tensor


def gaussian_patch(sigma: float, size: int) -> np.ndarray:
    """Draw a Gaussian with peak 1 in the middle cell of a square.

    Args:
        sigma: standard deviation in cells.
        size: cells on a side, odd.

    Returns:
        Patch (size, size), float32.
    """
    offsets = np.arange(size) - size // 2
    profile = np.exp(-(offsets**2) / (2 * sigma**2))
    return np.outer(profile, profile).astype(np.float32)


def draw_patches(
    cells: np.ndarray, drawn: np.ndarray, patch: np.ndarray, map_size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Put a patch around a cell of each map, cut at the border.

    Args:
        cells: cell (x, y) of each keypoint, (K, 2), int; it may lie outside.
        drawn: which keypoints to draw, (K,), bool.
        patch: (s, s), float32, s odd.
        map_size: width w and height h in cells.

    Returns:
        Heatmaps (K, h, w), float32, and which of them show a part of the patch,
        (K,), bool.
    """
    width, height = map_size
    heatmaps = np.zeros((len(cells), height, width), np.float32)
    radius = len(patch) // 2
    first = np.maximum(cells - radius, 0)
    last = np.minimum(cells + radius + 1, (width, height))
    shown = drawn & (first < last).all(1)
    for index in np.flatnonzero(shown):
        (left, top), (right, bottom) = first[index], last[index]
        x, y = cells[index] - radius
        heatmaps[index, top:bottom, left:right] = patch[
            top - y : bottom - y, left - x : right - x
        ]
    return heatmaps, shown


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
    flat = maps.flatten(-2)
    scores, cells = flat.max(-1)
    x, y = cells % width, cells // width
    inside = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)

    def value(offset: int) -> Tensor:
        neighbors = (cells + offset).clamp(0, height * width - 1)
        return flat.gather(-1, neighbors[..., None])[..., 0]

    steps = torch.stack([value(1) - value(-1), value(width) - value(-width)], -1)
    steps = torch.where(inside[..., None], steps.nan_to_num(0.0).sign() / 4, 0.0)
    scores = torch.where(scores.isfinite(), scores, 0.0)
    return torch.stack([x, y], -1) + steps, scores
