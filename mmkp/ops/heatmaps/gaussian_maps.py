# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Gaussians around keypoints and cells: the one place where they are drawn."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mmkp.ops.geometry import MapGeometry
from mmkp.ops.precision import constants, in_full_precision


@in_full_precision
def gaussian(distance: Tensor, sigma: float | Tensor) -> Tensor:
    """exp(-d^2 / (2 sigma^2)), of height 1.

    In two dimensions it is the product of that along x and that along y.

    Args:
        distance: d in any unit, any shape, floating.
        sigma: standard deviation in the same unit, a number or broadcast to d.

    Returns:
        Heights in (0, 1], shape of the distances, at least float32.
    """
    return (distance / sigma).square().div(-2).exp()


def gaussian_line(
    center: Tensor, number: int, sigma: float, dtype: torch.dtype = torch.float64
) -> Tensor:
    """A Gaussian of height 1 on the cells along one axis.

    Args:
        center: cells, int64, shape (...).
        number: number n of cells.
        sigma: standard deviation in cells.
        dtype: floating-point type of the result.

    Returns:
        Heights in (0, 1], shape (..., n).
    """
    distance = torch.arange(number, device=center.device) - center[..., None]
    return gaussian(distance.to(dtype), sigma)


@in_full_precision
def normalized_gaussian_maps(
    keypoints: Tensor,
    geometry: MapGeometry,
    sigmas: Sequence[float],
    legacy_gauss: bool = False,
) -> Tensor:
    """Share of each cell that belongs to each keypoint, and to the background.

    LMDIS (Zhang et al., CVPR 2018, section 3.3, equations 11 and 12), for each width
    sigma: R_k(u) = N(u; x_k, sigma^2 I), a normal density around keypoint k, integrated
    over the cell, and for the background R = 1 over all cells; then
    D_k(u) = R_k(u) / sum_l R_l(u) over keypoints and background.

    Args:
        keypoints: x_k, (x, y) in pixels, shape (B, K, 2).
        geometry: where the cells lie, of the image without padding.
        sigmas: S widths in units of the longer image edge.
        legacy_gauss: the density of the released code, with sigma^4 in place of
            sigma^2 before the exponential and the number of cells divided out twice.
            It moves the balance of keypoints and background; trained weights of the
            release need it. Meant for square images, as there.

    Returns:
        Shares D, positive, sum 1 over the channels, shape (S, B, K + 1, h, w); the
        background comes last. At least float32.
    """
    width, height = geometry.map_size
    sigma = constants(sigmas, keypoints).view(-1, 1, 1, 1)
    area = math.prod(geometry.image_size) / (geometry.edge**2 * width * height)
    peak = area / (2 * math.pi * sigma**2)
    if legacy_gauss:
        peak = area**2 / (2 * math.pi * sigma**4 + 1e-6)
        sigma = (sigma**2 + 1e-6 / sigma**2).sqrt()
    dx, dy = (
        (cells - keypoints[..., axis, None]) / geometry.edge
        for axis, cells in enumerate(
            (geometry.columns(keypoints), geometry.rows(keypoints))
        )
    )
    # The exponential separates into x and y, so only lines are computed by it.
    columns, rows = peak * gaussian(dx, sigma), gaussian(dy, sigma)
    densities = rows[..., :, None] * columns[..., None, :]
    background = 1 / (width * height)
    total = densities.sum(2, keepdim=True) + background
    uniform = total.new_full((), background).expand_as(total)
    return torch.cat((densities, uniform), 2) / total


@in_full_precision
def gaussian_maps(keypoints: Tensor, geometry: MapGeometry, sigma: float) -> Tensor:
    """Gaussian map of height 1 around each keypoint.

    IMM (Jakab et al., NeurIPS 2018, section 3.1): exp(-|u - u_k|^2 / (2 sigma^2)) at
    each cell u. It is the product of that along x and that along y.

    Args:
        keypoints: u_k, (x, y) in pixels of the image, shape (B, K, 2).
        geometry: where the cells of the maps lie in the image.
        sigma: standard deviation in pixels.

    Returns:
        Maps in (0, 1], shape (B, K, h, w), at least float32.
    """
    columns = gaussian(geometry.columns(keypoints) - keypoints[..., :1], sigma)
    rows = gaussian(geometry.rows(keypoints) - keypoints[..., 1:], sigma)
    return rows[..., :, None] * columns[..., None, :]
