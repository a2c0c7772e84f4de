# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a smooth background looks like behind an object, told from the border."""

import torch
from torch import Tensor


def border_background(images: Tensor, tolerance: float) -> Tensor:
    """How far each pixel looks like the background that the border shows.

    Each channel's background is the polynomial 1, x, y, xy, y^2 that fits the first and
    last row and column best (least squares); a pixel at the distance d from it is
    background by exp(-d^2 / (2 tolerance^2)).

    Args:
        images: shape (B, C, H, W), floating, at least 3 pixels a side.
        tolerance: in units of the images' values.

    Returns:
        Likelihoods from 0 to 1, shape (B, H, W), at least float32, without gradient.
    """
    images = images.detach().to(torch.promote_types(images.dtype, torch.float32))
    height, width = images.shape[-2:]
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing='ij'
    )
    basis = torch.stack((torch.ones_like(x), x, y, x * y, y * y), -1).flatten(0, 1)
    border = ((x.abs() == 1) | (y.abs() == 1)).flatten()
    with torch.autocast(images.device.type, enabled=False):
        # The basis is the same for all images: one small inverse, on the CPU.
        fit = (basis @ torch.linalg.pinv(basis[border])).to(images)
        values = images.flatten(2).transpose(1, 2)
        background = fit @ values[:, border.to(images.device)]
        squared = (values - background).square().sum(-1)
    likelihood = (-squared / (2 * tolerance**2)).exp()
    return likelihood.unflatten(1, (height, width))
