# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The warp between the inner parts of two images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mmkp.ops.warp import Warp


@dataclass
class CroppedWarp(Warp):
    """A warp after both images have lost a margin on every side.

    Attributes:
        warp: between the whole images.
        margin: pixels that are cut off on every side.

    Raises:
        ValueError: the margin is negative, or leaves nothing.
    """

    warp: Warp
    margin: int

    def __post_init__(self) -> None:
        if self.margin < 0 or min(self.warp.image_size) <= 2 * self.margin:
            raise ValueError(
                f'a margin of {self.margin} pixels cannot be cut off images of size '
                f'{tuple(self.warp.image_size)}: take 0 to less than half of a side'
            )
        width, height = self.warp.image_size
        self.image_size = (width - 2 * self.margin, height - 2 * self.margin)

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type in which positions of pixels are computed."""
        return self.warp.dtype

    def points_to_source(self, points: Tensor) -> Tensor:
        """Positions in the cropped source of positions in the cropped warped image.

        Args:
            points: (x, y) in pixels of the cropped warped image, shape (B, N, 2).

        Returns:
            (x, y) in pixels of the cropped source image, shape (B, N, 2).
        """
        return self.warp.points_to_source(points + self.margin) - self.margin

    def validity(self, points: Tensor) -> Tensor:
        """Weights of the whole warp at positions in the cropped warped image.

        Args:
            points: (x, y) in pixels of the cropped warped image, shape (B, N, 2).

        Returns:
            Weights in [0, 1], shape (B, N).
        """
        return self.warp.validity(points + self.margin)
