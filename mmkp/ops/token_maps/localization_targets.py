# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Gaussians at the highest cells of maps, which are what maps should look like."""

from torch import Tensor

from mmkp.ops.heatmaps.gaussian_maps import gaussian_line
from mmkp.ops.heatmaps.peaks import highest_cells
from mmkp.ops.precision import full_precision


def peak_gaussians(maps: Tensor, sigma: float) -> Tensor:
    """Localization targets: Gaussians of height 1 at the highest cell of each map.

    ``exp(-d^2 / (2 sigma^2))`` (StableKeypoints, Hedlin et al., CVPR 2024, section 3.2,
    as released), as a product of one factor along x and one along y.

    Args:
        maps: shape (..., h, w).
        sigma: standard deviation in cells.

    Returns:
        Shape (..., h, w), without gradient, at least float32.
    """
    like = full_precision(maps.detach())
    column, row = highest_cells(like)
    of_x = gaussian_line(column, maps.shape[-1], sigma, like.dtype)
    of_y = gaussian_line(row, maps.shape[-2], sigma, like.dtype)
    return of_y[..., :, None] * of_x[..., None, :]
