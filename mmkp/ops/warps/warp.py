# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Smooth warps that move points and images consistently.

A warp maps positions in the warped image to positions in the source image,
which is what ``grid_sample`` needs, so a keypoint found in the warped image goes
back to the source without inverting anything. Positions are pixels with centres
at integers; ``*_norm`` are coordinates in which the image spans [-1, 1], either
from the first to the last pixel centre ("inclusive", ``align_corners=True``) or
from edge to edge (``align_corners=False``).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.precision import (
    full_precision,
    in_full_precision,
    per_axis,
)


def half_sides(image_size: tuple[int, int]) -> tuple[float, float]:
    """Half of the distance of the first and last pixel centre, (x, y)."""
    width, height = image_size
    # An image one pixel wide has no extent; any length but 0 serves.
    return max(width - 1, 1) / 2, max(height - 1, 1) / 2


@in_full_precision
def to_norm(
    points: Tensor, image_size: tuple[int, int], align_corners: bool = True
) -> Tensor:
    """Pixels to coordinates in which the image spans [-1, 1].

    Args:
        points: (x, y) in pixels, shape (..., 2).
        image_size: (W, H) in pixels.
        align_corners: whether -1 and 1 are pixel centres, else edges.

    Returns:
        Coordinates, shape (..., 2), at least float32.
    """
    if align_corners:
        return points / per_axis(half_sides(image_size), points) - 1
    return (2 * points + 1) / per_axis(image_size, points) - 1


@in_full_precision
def to_pixels(
    points_norm: Tensor, image_size: tuple[int, int], align_corners: bool = True
) -> Tensor:
    """Coordinates in which the image spans [-1, 1] to pixels.

    Args:
        points_norm: (x, y), shape (..., 2).
        image_size: (W, H) in pixels.
        align_corners: whether -1 and 1 are pixel centres, else edges.

    Returns:
        Pixels, shape (..., 2), at least float32.
    """
    if align_corners:
        return (points_norm + 1) * per_axis(half_sides(image_size), points_norm)
    return ((points_norm + 1) * per_axis(image_size, points_norm) - 1) / 2


class Warp(ABC):
    """One map for each image of a batch, from the warped image to the source.

    All is computed in at least float32, under autocast and of half-precision points
    too: the image is sampled at the positions that losses compare.

    Attributes:
        image_size: (W, H) of the image in pixels, the same before and after.
    """

    image_size: tuple[int, int]

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """Floating-point type in which positions of pixels are computed."""

    @abstractmethod
    def points_to_source(self, points: Tensor) -> Tensor:
        """Positions in the source image of positions in the warped image.

        Args:
            points: (x, y) in pixels of the warped image, shape (B, N, 2).

        Returns:
            (x, y) in pixels of the source image, shape (B, N, 2), at least float32.
        """

    def validity(self, points: Tensor) -> Tensor:
        """How far the map may be trusted at positions in the warped image.

        Losses weigh the terms of a point by it, so that points at which the map is
        not known, 0, drop out. Warps given by a formula are right everywhere.

        Args:
            points: (x, y) in pixels of the warped image, shape (B, N, 2).

        Returns:
            Weights in [0, 1], shape (B, N), at least float32.
        """
        return torch.ones_like(full_precision(points[..., 0]))

    def images(self, images: Tensor, padding_mode: str = 'reflection') -> Tensor:
        """Warp images.

        Args:
            images: source images, shape (B, C, H, W).
            padding_mode: what lies outside, as in ``grid_sample``.

        Returns:
            Warped images, shape (B, C, H, W), dtype of the images.
        """
        width, height = self.image_size
        y, x = torch.meshgrid(
            torch.arange(height, device=images.device),
            torch.arange(width, device=images.device),
            indexing='ij',
        )
        pixels = torch.stack((x, y), -1).reshape(1, -1, 2).to(self.dtype)
        source = self.points_to_source(pixels.expand(images.shape[0], -1, -1))
        grid = to_norm(source, self.image_size)
        sources = full_precision(images)
        grid = grid.view(images.shape[0], height, width, 2).to(sources.dtype)
        return _sample(sources, grid, padding_mode).to(images.dtype)


@in_full_precision
def _sample(images: Tensor, grid: Tensor, padding_mode: str) -> Tensor:
    """Images (B, C, H, W) at places (B, h, w, 2), bilinear between pixels."""
    return F.grid_sample(images, grid, padding_mode=padding_mode, align_corners=True)


@dataclass
class ComposedWarp(Warp):
    """A warp of a warped image: x∘g1∘g2, interpolated only once.

    A position in the twice-warped image goes by ``second`` (g2) to the
    once-warped image and by ``first`` (g1) to the source.

    Attributes:
        first: the warp that is applied to the image first, g1.
        second: the warp that is applied to its result, g2.

    Raises:
        ValueError: the two are for images of different sizes.
    """

    first: Warp
    second: Warp

    def __post_init__(self) -> None:
        if tuple(self.first.image_size) != tuple(self.second.image_size):
            raise ValueError(
                f'warps of images of size {self.first.image_size} and '
                f'{self.second.image_size} cannot be composed: use one image size'
            )
        self.image_size = self.first.image_size

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the warp that is applied to points first."""
        return self.second.dtype

    def points_to_source(self, points: Tensor) -> Tensor:
        """See :class:`Warp`."""
        return self.first.points_to_source(self.second.points_to_source(points))

    def validity(self, points: Tensor) -> Tensor:
        """Product of both warps' validities along the way of each point."""
        between = self.second.points_to_source(points)
        return self.second.validity(points) * self.first.validity(between)
