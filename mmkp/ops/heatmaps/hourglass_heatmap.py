# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Heatmaps of the stacked hourglass: one Gaussian patch around a whole cell."""

import numpy as np
import torch

from mmkp.ops.heatmaps.gaussian_maps import gaussian_line


def gaussian_patch(sigma: float, size: int) -> np.ndarray:
    """A Gaussian heatmap in a square, of height 1 in its middle cell.

    Newell et al., section 3.3: exp(-d^2 / (2 sigma^2)), cut off at the square.

    Args:
        sigma: standard deviation in cells.
        size: cells on a side, odd.

    Returns:
        Patch (size, size), float32.
    """
    # On the CPU, even where a model is built on another device.
    line = gaussian_line(torch.tensor(size // 2, device='cpu'), size, sigma)
    return torch.outer(line, line).float().numpy()


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
