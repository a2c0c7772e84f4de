# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Thin-plate-spline warps, and random ones whose coefficients are drawn directly."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mmkp.ops.precision import full_precision, full_precision_product, in_full_precision
from mmkp.ops.warps.affine import affine_map, rotation_scale_shift
from mmkp.ops.warps.thin_plate_kernel import thin_plate_kernel
from mmkp.ops.warps.warp import Warp, to_norm, to_pixels


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
