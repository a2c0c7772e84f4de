# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a smooth background looks like behind an object, told from the border."""

from functools import lru_cache

import torch
from torch import Tensor

from mmkp.ops.precision import in_full_precision


@in_full_precision
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
    squared = border_contrast(images.detach())
    return (-squared / (2 * tolerance**2)).exp()


@in_full_precision
def border_contrast(images: Tensor) -> Tensor:
    """Squared distance of each pixel from the background that the border shows.

    Args:
        images: shape (B, C, H, W), floating, at least 3 pixels a side.

    Returns:
        Sums over the channels, in squared units of the images' values, shape (B, H, W),
        at least float32; see :func:`border_background` for the background.
    """
    height, width = images.shape[-2:]
    basis, inverse, border = _border_fit(height, width, images.device)
    fit = (basis @ inverse).to(images.dtype)
    values = images.flatten(2).transpose(1, 2)
    background = fit @ values[:, border]
    squared = (values - background).square().sum(-1)
    return squared.unflatten(1, (height, width))


@lru_cache(maxsize=8)
def _border_fit(
    height: int, width: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Basis at all pixels, its inverse on the border, and which pixels those are."""
    # Kept on the device, which would wait for them; they may be used in training.
    with torch.inference_mode(False), torch.device('cpu'):
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing='ij'
        )
        basis = torch.stack((torch.ones_like(x), x, y, x * y, y * y), -1).flatten(0, 1)
        border = ((x.abs() == 1) | (y.abs() == 1)).flatten().nonzero()[:, 0]
        parts = basis, torch.linalg.pinv(basis[border]), border
        return tuple(part.to(device) for part in parts)  # type: ignore[return-value]
