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
    full_precision_product,
    in_full_precision,
    per_axis,
)
from mmkp.ops.warps.thin_plate_kernel import thin_plate_kernel


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
class ThinPlateSpline(Warp):
    """Affine map plus thin-plate-spline displacement, one for each image.

    Attributes:
        affine: on homogeneous (x, y, 1) in [-1, 1] coordinates, (B, 2, 3).
        control_points: (x, y) in [-1, 1] coordinates, (C, 2).
        coefficients: weight of each control point's kernel, (B, C, 2).
        image_size: (W, H) of the image in pixels.
        kernel: one of :data:`mmkp.ops.warps.thin_plate_kernel.KERNELS`.
        align_corners: whether -1 and 1 are pixel centres, else edges.
        legacy_grid: with ``align_corners=False``, let the warped image run from
            pixel centre to pixel centre all the same, as the released code of LMDIS
            does, and that of IMM and DVE under today's PyTorch; the identity then
            enlarges by n / (n - 1).
    """

    affine: Tensor
    control_points: Tensor
    coefficients: Tensor
    image_size: tuple[int, int]
    kernel: str = 'clipped'
    align_corners: bool = True
    legacy_grid: bool = False

    def __post_init__(self) -> None:
        self.affine = full_precision(self.affine)
        self.control_points = full_precision(self.control_points)
        self.coefficients = full_precision(self.coefficients)

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of the coefficients."""
        return self.affine.dtype

    @in_full_precision
    def points_to_source(self, points: Tensor) -> Tensor:
        """See :class:`Warp`."""
        batch = len(points)
        if points.stride(0) == 0:
            points = points[:1]  # the same for all images, such as all pixels
        inclusive = self.align_corners or self.legacy_grid
        norm = to_norm(points, self.image_size, inclusive)
        moved = affine_map(norm, self.affine)
        kernel = thin_plate_kernel(norm, self.control_points, self.kernel)
        moved = moved + full_precision_product(kernel, self.coefficients)
        moved = to_pixels(moved, self.image_size, self.align_corners)
        return moved.expand(max(batch, len(moved)), -1, -1)


def affine_map(points: Tensor, matrices: Tensor) -> Tensor:
    """A x + b for each image, on coordinates of any unit.

    Args:
        points: (x, y), shape (B, N, 2) or (1, N, 2).
        matrices: A and b, shape (B, 2, 3), of the same dtype.

    Returns:
        Shape (B, N, 2).
    """
    moved = full_precision_product(points, matrices[:, :, :2].transpose(1, 2))
    return moved + matrices[:, None, :, 2]


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


@in_full_precision
def rotation_scale_shift(
    angle: Tensor, scale: Tensor, shift: Tensor, extent: tuple[float, float]
) -> Tensor:
    """Matrices that scale along x and y, then rotate, then shift.

    Args:
        angle: rotation in radians, positive from x to y, shape (B,).
        scale: factors along x and y, shape (B, 2).
        shift: (x, y) in half image sides, shape (B, 2).
        extent: lengths (x, y) in pixels that [-1, 1] spans; the rotation turns pixels,
            so that it keeps angles in images that are not square.

    Returns:
        Matrices on (x, y, 1) in [-1, 1] coordinates, shape (B, 2, 3), at least float32.
    """
    cos, sin = angle.cos(), angle.sin()
    aspect = extent[1] / extent[0]
    rows = (
        torch.stack((cos * scale[:, 0], -sin * scale[:, 1] * aspect, shift[:, 0]), -1),
        torch.stack((sin * scale[:, 0] / aspect, cos * scale[:, 1], shift[:, 1]), -1),
    )
    return torch.stack(rows, 1)


def random_thin_plate_spline(
    batch_size: int,
    image_size: tuple[int, int],
    control_grid: int = 5,
    local_std: float = 0.01,
    rotation_std: float = 5.0,
    scale_std: float = 0.1,
    translation_std: float = 0.1,
    device: torch.device | str = 'cpu',
    generator: torch.Generator | None = None,
    *,
    sparse_std: float = 0.0,
    sparse_probability: float = 0.5,
    kernel: str = 'clipped',
    dtype: torch.dtype = torch.float32,
) -> ThinPlateSpline:
    """Sample thin-plate-spline warps, coefficients drawn directly (IMM, DVE).

    IMM's settings are in :mod:`mmkp.ops.warps.samplers`.

    Args:
        batch_size: number B of warps.
        image_size: (W, H) in pixels.
        control_grid: number of control points along each side.
        local_std: standard deviation of the spline coefficients.
        rotation_std: standard deviation of the rotation in degrees.
        scale_std: standard deviation of the logarithm of the scale.
        translation_std: standard deviation of the shift in units of half the
            image side.
        device: where to sample.
        generator: source of randomness, on that device; torch's global one when None.
        sparse_std: standard deviation of what is added to some coefficients.
        sparse_probability: share of the coefficients that it is added to.
        kernel: one of :data:`mmkp.ops.warps.thin_plate_kernel.KERNELS`.
        dtype: floating-point type, float32 or float64.

    Returns:
        The warps.
    """
    line = torch.linspace(-1, 1, control_grid, device=device, dtype=dtype)
    control = torch.stack(torch.meshgrid(line, line, indexing='xy'), -1).view(-1, 2)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, device=device, generator=generator, dtype=dtype)

    angle = torch.deg2rad(rotation_std * normal(batch_size))
    scale = torch.exp(scale_std * normal(batch_size))
    shift = translation_std * normal(batch_size, 2)
    extent = (max(image_size[0] - 1, 1), max(image_size[1] - 1, 1))
    affine = rotation_scale_shift(angle, scale[:, None].expand(-1, 2), shift, extent)
    coefficients = local_std * normal(batch_size, len(control), 2)
    if sparse_std:
        chance = torch.rand(
            coefficients.shape, device=device, generator=generator, dtype=dtype
        )
        added = sparse_std * normal(*coefficients.shape)
        coefficients = coefficients + added * (chance < sparse_probability)
    return ThinPlateSpline(affine, control, coefficients, image_size, kernel)
