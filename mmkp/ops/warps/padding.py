# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Padding of one color around images, and warps between padded images."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.precision import full_precision, in_full_precision, per_axis
from mmkp.ops.warps.warp import Warp


def pad_with_border_mean(images: Tensor, padding: tuple[int, int]) -> Tensor:
    """Surround each image with the mean color of its border.

    LMDIS (Zhang et al., CVPR 2018) pads images of 80 to 96 pixels, so that keypoints
    can leave the image. The mean is that of the first and last row and column; the
    corners, which lie in two of them, count twice.

    Args:
        images: shape (B, C, H, W), floating.
        padding: (x, y) pixels to add on the left and right, and above and below.

    Returns:
        Padded images, shape (B, C, H + 2 y, W + 2 x), in the memory format of the
        images.
    """
    x, y = padding
    if not (x or y):
        return images
    lines = (images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1])
    # Half precision would add up a few hundred numbers in steps of 1.
    color = full_precision(torch.cat(lines, -1)).mean(-1)[..., None, None]
    return paste_into_padding(images, color.to(images.dtype), padding)


def paste_into_padding(
    images: Tensor, padded: Tensor, padding: tuple[int, int]
) -> Tensor:
    """Replace what lies inside of the padding.

    Args:
        images: shape (B, C, H, W).
        padded: shape (B, C, H + 2 y, W + 2 x), or (B, C, 1, 1) for one color.
        padding: (x, y) in pixels.

    Returns:
        The images in that padding, shape (B, C, H + 2 y, W + 2 x), of the more precise
        dtype of both.
    """
    x, y = padding
    if not (x or y):
        return images
    # Zero padding and a choice: the inside is moved unchanged.
    inside = F.pad(torch.ones_like(images[:1, :1]), (x, x, y, y))
    moved = F.pad(images, (x, x, y, y))
    return torch.where(inside > 0, moved, padded)


@dataclass
class PaddedWarp(Warp):
    """A warp between two images, in pixels of the padded images.

    With negative padding, in pixels of what is left when that is cut off.

    Attributes:
        inner: the warp in pixels of the images.
        padding: (x, y) in pixels.

    Raises:
        ValueError: nothing is left.
    """

    inner: Warp
    padding: tuple[int, int]

    def __post_init__(self) -> None:
        width, height = self.inner.image_size
        self.image_size = (width + 2 * self.padding[0], height + 2 * self.padding[1])
        if min(self.image_size) < 1:
            cut = tuple(-side for side in self.padding)
            raise ValueError(
                f'margins of {cut} pixels cannot be cut off images of size '
                f'{(width, height)}: take less than half of a side'
            )

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the inner warp."""
        return self.inner.dtype

    @in_full_precision
    def points_to_source(self, points: Tensor) -> Tensor:
        """Positions in the padded source of positions in the padded warped image.

        Args:
            points: (x, y) in pixels of the padded warped image, shape (B, N, 2).

        Returns:
            (x, y) in pixels of the padded source, shape (B, N, 2).
        """
        shift = per_axis(self.padding, points)
        return self.inner.points_to_source(points - shift) + shift

    @in_full_precision
    def validity(self, points: Tensor) -> Tensor:
        """How far the inner warp may be trusted there.

        Args:
            points: (x, y) in pixels of the padded warped image, shape (B, N, 2).

        Returns:
            Weights in [0, 1], shape (B, N).
        """
        return self.inner.validity(points - per_axis(self.padding, points))
