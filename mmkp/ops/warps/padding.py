# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A frame of one colour around images, and warps between images seen in frames."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.warps.warp import Warp


def pad_with_border_mean(images: Tensor, margin: tuple[int, int]) -> Tensor:
    """Surround each image with the mean colour of its border.

    LMDIS (Zhang et al., CVPR 2018) pads images of 80 to frames of 96 pixels, so that
    keypoints can leave the image. The mean is that of the first and last row and
    column; the corners, which lie in two of them, count twice.

    Args:
        images: shape (B, C, H, W), floating.
        margin: (x, y) pixels to add on the left and right, and above and below.

    Returns:
        Frames, shape (B, C, H + 2 y, W + 2 x), in the memory format of the images.
    """
    x, y = margin
    if not (x or y):
        return images
    lines = (images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1])
    color = torch.cat(lines, -1).mean(-1)[..., None, None]
    # Zero padding of the difference: one call, and the inside is moved unchanged.
    inside = F.pad(torch.ones_like(images[:1, :1]), (x, x, y, y))
    return torch.where(inside > 0, F.pad(images, (x, x, y, y)), color)


def paste_into_frame(images: Tensor, frames: Tensor, margin: tuple[int, int]) -> Tensor:
    """Replace the image inside of each frame.

    Args:
        images: shape (B, C, H, W).
        frames: shape (B, C, H + 2 y, W + 2 x).
        margin: (x, y) of the frames in pixels.

    Returns:
        Frames around the given images, of the frames' shape.
    """
    x, y = margin
    if not (x or y):
        return images
    padded = F.pad(images, (x, x, y, y))
    inside = F.pad(torch.ones_like(images[:1, :1]), (x, x, y, y))
    return torch.where(inside > 0, padded, frames.to(padded.dtype))


@dataclass
class PaddedWarp(Warp):
    """A warp between two images, in pixels of the frames around them.

    With negative margins, in pixels of what is left when they are cut off.

    Attributes:
        inner: the warp in pixels of the images.
        margin: (x, y) of the frames in pixels.

    Raises:
        ValueError: nothing is left.
    """

    inner: Warp
    margin: tuple[int, int]

    def __post_init__(self) -> None:
        width, height = self.inner.image_size
        self.image_size = (width + 2 * self.margin[0], height + 2 * self.margin[1])
        if min(self.image_size) < 1:
            cut = tuple(-side for side in self.margin)
            raise ValueError(
                f'margins of {cut} pixels cannot be cut off images of size '
                f'{(width, height)}: take less than half of a side'
            )

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the inner warp."""
        return self.inner.dtype

    def points_to_source(self, points: Tensor) -> Tensor:
        """Positions in the source frame of positions in the warped frame.

        Args:
            points: (x, y) in pixels of the warped frame, shape (B, N, 2).

        Returns:
            (x, y) in pixels of the source frame, shape (B, N, 2).
        """
        margin = points.new_tensor(self.margin)
        return self.inner.points_to_source(points - margin) + margin

    def validity(self, points: Tensor) -> Tensor:
        """How far the inner warp may be trusted there.

        Args:
            points: (x, y) in pixels of the warped frame, shape (B, N, 2).

        Returns:
            Weights in [0, 1], shape (B, N).
        """
        return self.inner.validity(points - points.new_tensor(self.margin))
