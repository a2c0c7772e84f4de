# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Affine warps, given in coordinates in which the image spans [-1, 1]."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mmkp.ops.warp import Warp, to_norm, to_pixels


@dataclass
class AffineWarp(Warp):
    """One affine map for each image.

    Attributes:
        affine: on homogeneous (x, y, 1) in [-1, 1] coordinates, (B, 2, 3).
        image_size: (W, H) of the image in pixels.
        align_corners: whether -1 and 1 are pixel centres, else edges.
        legacy_grid: as in :class:`mmkp.ops.warp.ThinPlateSpline`.
    """

    affine: Tensor
    image_size: tuple[int, int]
    align_corners: bool = True
    legacy_grid: bool = False

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the matrices."""
        return self.affine.dtype

    def points_to_source(self, points: Tensor) -> Tensor:
        """Positions in the source image of positions in the warped image.

        Args:
            points: (x, y) in pixels of the warped image, shape (B, N, 2).

        Returns:
            (x, y) in pixels of the source image, shape (B, N, 2).
        """
        inclusive = self.align_corners or self.legacy_grid
        norm = to_norm(points, self.image_size, inclusive)
        moved = norm @ self.affine[:, :, :2].transpose(1, 2)
        moved = moved + self.affine[:, None, :, 2]
        return to_pixels(moved, self.image_size, self.align_corners)

    def inverse(self) -> 'AffineWarp':
        """Return the map from the source image to the warped image.

        Returns:
            The inverse warps.
        """
        linear = torch.linalg.inv(self.affine[:, :, :2])
        shift = -linear @ self.affine[:, :, 2:]
        return replace(self, affine=torch.cat((linear, shift), -1))

    def resized(self, image_size: tuple[int, int]) -> 'AffineWarp':
        """Return the same map in [-1, 1] for pictures, or maps, of another size.

        Args:
            image_size: (W, H) in pixels, or cells.

        Returns:
            The warps.
        """
        return replace(self, image_size=(int(image_size[0]), int(image_size[1])))
