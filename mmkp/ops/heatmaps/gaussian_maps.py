# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Gaussians of several widths around keypoints, shared out with the background."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mmkp.ops.heatmaps.moments import full_precision
from mmkp.ops.heatmaps.soft_argmax import cell_positions


def normalized_gaussian_maps(
    keypoints: Tensor,
    image_size: tuple[int, int],
    map_size: tuple[int, int],
    sigmas: Sequence[float],
    legacy_gauss: bool = False,
) -> Tensor:
    """What share of each cell belongs to each keypoint, and to the background.

    LMDIS (Zhang et al., CVPR 2018, section 3.3): for each width sigma an isotropic
    normal density around each keypoint, integrated over the cell, and as the
    background a uniform one; then all channels of a cell are divided by their sum.
    The exponential separates into x and y, so only lines are computed by it.

    Args:
        keypoints: (x, y) in pixels of the image, shape (B, K, 2).
        image_size: (W, H) of the image in pixels.
        map_size: (w, h) of the maps in cells, each in the middle of its pixels.
        sigmas: S widths in units of the longer image side.
        legacy_gauss: the density of the released code, with sigma^4 in place of
            sigma^2 before the exponential and the number of cells divided out twice.
            It moves the balance of keypoints and background; trained weights of the
            release need it. Meant for square images, as there.

    Returns:
        Shares, positive, sum 1 over the channels, shape (S, B, K + 1, h, w); the
        background comes last. At least float32.
    """
    if keypoints.dtype in (torch.float16, torch.bfloat16):
        keypoints = keypoints.float()
    width, height = map_size
    longer = max(image_size)
    x = cell_positions(width, image_size[0], 'cell_centres', keypoints)
    y = cell_positions(height, image_size[1], 'cell_centres', keypoints)
    sigma2 = keypoints.new_tensor(tuple(sigmas)).square().view(-1, 1, 1, 1)
    dx2 = ((x - keypoints[..., :1]) / longer).square()
    dy2 = ((y - keypoints[..., 1:]) / longer).square()
    area = image_size[0] * image_size[1] / (longer**2 * width * height)
    if legacy_gauss:
        precision = sigma2 / (sigma2.square() + 1e-6)
        height_of_peak = area**2 / (2 * math.pi * sigma2.square() + 1e-6)
    else:
        precision = 1 / sigma2
        height_of_peak = area / (2 * math.pi * sigma2)
    columns = height_of_peak * (-dx2 * precision / 2).exp()
    rows = (-dy2 * precision / 2).exp()
    maps = rows[..., :, None] * columns[..., None, :]
    background = 1 / (width * height)
    total = maps.sum(2, keepdim=True) + background
    return torch.cat((maps, total.new_tensor(background).expand_as(total)), 2) / total


def gaussian_maps(
    keypoints: Tensor,
    image_size: tuple[int, int],
    map_size: tuple[int, int],
    sigma: float,
) -> Tensor:
    """Gaussian map of height 1 around each keypoint.

    IMM (Jakab et al., NeurIPS 2018, section 3.1): exp(-|u - u_k|^2 / (2 sigma^2)) at
    each cell u. It is the product of that along x and that along y.

    Args:
        keypoints: u_k, (x, y) in pixels of the image, shape (B, K, 2).
        image_size: (W, H) of the image in pixels.
        map_size: (w, h) of the maps in cells, each in the middle of its pixels.
        sigma: standard deviation in pixels.

    Returns:
        Maps in (0, 1], shape (B, K, h, w), at least float32.
    """
    keypoints = full_precision(keypoints)
    x, y = (
        cell_positions(cells, pixels, 'cell_centres', keypoints)
        for cells, pixels in zip(map_size, image_size, strict=True)
    )
    columns = ((x - keypoints[..., :1]) / sigma).square().div(-2).exp()
    rows = ((y - keypoints[..., 1:]) / sigma).square().div(-2).exp()
    return rows[..., :, None] * columns[..., None, :]
