# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Random warps of the unsupervised methods, each under the name of its source.

All are drawn for a whole batch at once on the given device. Standard deviations and
ranges of shifts are in units of half the image side, rotations in degrees.
"""

import math
from typing import Any

import torch
from torch import Tensor

from mmkp.ops.precision import in_full_precision
from mmkp.ops.warps.affine import AffineWarp, rotation_scale_shift
from mmkp.ops.warps.thin_plate_kernel import solve_thin_plate_spline
from mmkp.ops.warps.thin_plate_spline import ThinPlateSpline
from mmkp.ops.warps.warp import ComposedWarp

# Settings of `random_thin_plate_spline`. IMM (Jakab et al., NeurIPS 2018) warps its
# source and its target image; DVE (Thewlis et al., ICCV 2019) warps the first image
# with half of everything.
IMM_TARGET: dict[str, Any] = {
    'control_grid': 10,
    'local_std': 0.001,
    'sparse_std': 0.005,
    'rotation_std': 0.0,
    'scale_std': 0.0,
    'translation_std': 0.1,
    'kernel': 'clipped',
}
IMM_SOURCE: dict[str, Any] = {
    **IMM_TARGET,
    'sparse_std': 0.01,
    'rotation_std': 5.0,
    'scale_std': 0.1,
}
DVE: dict[str, Any] = {**IMM_SOURCE, 'kernel': 'shifted'}
DVE_FIRST: dict[str, Any] = {
    name: value / 2 if name.endswith('_std') else value for name, value in DVE.items()
}
THIN_PLATE_PRESETS = {
    'imm_target': IMM_TARGET,
    'imm_source': IMM_SOURCE,
    'dve': DVE,
    'dve_first': DVE_FIRST,
}

# Settings of `random_affine_warp`: the TensorFlow code of Thewlis et al., ICCV 2017,
# draws scales from U(0.8 - w, 1.1 + w) and shifts from N(0, w), w = 0 in its first
# warp and 0.1 in its second.
FSE_FIRST: dict[str, Any] = {
    'rotation_range': math.degrees(0.5),
    'scale_range': (0.8, 1.1),
    'stretch_std': 0.1,
    'translation_std': 0.0,
}
FSE_SECOND: dict[str, Any] = {
    **FSE_FIRST,
    'scale_range': (0.7, 1.2),
    'translation_std': 0.1,
}
# StableKeypoints (Hedlin et al., CVPR 2024) as released; the paper says that shifts are
# up to a quarter of the width, twice as far.
STABLE_KEYPOINTS: dict[str, Any] = {
    'rotation_range': 15.0,
    'scale_range': (0.8, 1.0),
    'stretch_std': 0.0,
    'translation_std': 0.0,
    'translation_range': 0.25,
    'align_corners': False,
}
AFFINE_PRESETS = {
    'fse_first': FSE_FIRST,
    'fse_second': FSE_SECOND,
    'stable_keypoints': STABLE_KEYPOINTS,
}


def random_affine_warp(
    batch_size: int,
    image_size: tuple[int, int],
    rotation_range: float = math.degrees(0.5),
    scale_range: tuple[float, float] = (0.7, 1.2),
    stretch_std: float = 0.1,
    translation_std: float = 0.1,
    device: torch.device | str = 'cpu',
    generator: torch.Generator | None = None,
    *,
    translation_range: float = 0.0,
    align_corners: bool = True,
    dtype: torch.dtype = torch.float32,
) -> AffineWarp:
    """Sample affine warps like the TensorFlow code of Thewlis et al., ICCV 2017.

    Args:
        batch_size: number B of warps.
        image_size: (W, H) in pixels.
        rotation_range: largest rotation either way in degrees, uniform.
        scale_range: smallest and largest scale, uniform.
        stretch_std: standard deviation of what is added to the scale along y.
        translation_std: standard deviation of the shift in half image sides.
        device: where to sample.
        generator: source of randomness, on that device; torch's global one when None.
        translation_range: largest further shift either way along each axis in half
            image sides, uniform.
        align_corners: whether -1 and 1 are pixel centres, else edges.
        dtype: floating-point type, float32 or float64.

    Returns:
        The warps; scales above 1 make objects smaller, as positions go to the source.
    """

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        size = (batch_size, *shape)
        drawn = torch.rand(size, device=device, generator=generator, dtype=dtype)
        return low + (high - low) * drawn

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, device=device, generator=generator, dtype=dtype)

    angle = torch.deg2rad(uniform(-rotation_range, rotation_range))
    scale = uniform(*scale_range)
    scales = torch.stack((scale, scale + stretch_std * normal(batch_size)), -1)
    shift = translation_std * normal(batch_size, 2)
    if translation_range:
        shift = shift + uniform(-translation_range, translation_range, 2)
    extent: tuple[float, float] = image_size
    if align_corners:
        extent = (max(image_size[0] - 1, 1), max(image_size[1] - 1, 1))
    matrix = rotation_scale_shift(angle, scales, shift, extent)
    return AffineWarp(matrix, image_size, align_corners)


@in_full_precision
def lmdis_spline(
    offsets: Tensor,
    image_size: tuple[int, int],
    legacy_tps: bool = False,
    legacy_grid: bool = False,
) -> ThinPlateSpline:
    """The spline that moves a regular grid of control points by given offsets.

    The control points are the centres of n x n equal cells of the image, row by row,
    and [-1, 1] spans the image from edge to edge.

    Args:
        offsets: source position minus warped position of each control point in half
            image sides (x, y), shape (B, n^2, 2).
        image_size: (W, H) in pixels.
        legacy_tps: evaluate half the kernel that the coefficients are solved for, as
            the released code of LMDIS does: the control points miss their targets.
        legacy_grid: as in
            :class:`mmkp.ops.warps.thin_plate_spline.ThinPlateSpline`, as released.

    Returns:
        The splines, in the dtype of the offsets, at least float32.

    Raises:
        ValueError: the number of offsets is no square.
    """
    side = math.isqrt(offsets.shape[1])
    if side * side != offsets.shape[1] or side < 2:
        raise ValueError(
            f'{offsets.shape[1]} offsets are no square grid: give n x n, at least 4'
        )
    index = torch.arange(side, device=offsets.device, dtype=offsets.dtype)
    line = (2 * index + 1) / side - 1
    grid = torch.meshgrid(line, line, indexing='xy')
    control = torch.stack(grid, -1).view(-1, 2)
    affine, coefficients = solve_thin_plate_spline(control, control + offsets)
    kernel = 'half' if legacy_tps else 'shifted'
    return ThinPlateSpline(
        affine, control, coefficients, image_size, kernel, False, legacy_grid
    )


def random_lmdis_warp(
    batch_size: int,
    image_size: tuple[int, int],
    control_grid: int = 7,
    offset_std: float = 0.1,
    rotation_std: float = 10.0,
    scale_std: float = math.log(1.25),
    translation_range: float = 0.3,
    device: torch.device | str = 'cpu',
    generator: torch.Generator | None = None,
    *,
    legacy_tps: bool = False,
    legacy_grid: bool = False,
    dtype: torch.dtype = torch.float32,
) -> ComposedWarp:
    """Sample the warps of LMDIS (Zhang et al., CVPR 2018): spline and similarity.

    A position in the warped image goes by the similarity and then by the spline.

    Args:
        batch_size: number B of warps.
        image_size: (W, H) in pixels; in LMDIS that of the padded frame.
        control_grid: number of control points along each side.
        offset_std: standard deviation of the control points' offsets.
        rotation_std: standard deviation of the rotation in degrees.
        scale_std: standard deviation of the logarithm of the scale.
        translation_range: largest shift either way along each axis, uniform.
        device: where to sample.
        generator: source of randomness, on that device; torch's global one when None.
        legacy_tps: see :func:`lmdis_spline`.
        legacy_grid: see :func:`lmdis_spline`.
        dtype: floating-point type, float32 or float64.

    Returns:
        The warps.
    """

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, device=device, generator=generator, dtype=dtype)

    offsets = offset_std * normal(batch_size, control_grid**2, 2)
    spline = lmdis_spline(offsets, image_size, legacy_tps, legacy_grid)
    angle = torch.deg2rad(rotation_std * normal(batch_size))
    scale = torch.exp(scale_std * normal(batch_size))[:, None].expand(-1, 2)
    drawn = torch.rand(batch_size, 2, device=device, generator=generator, dtype=dtype)
    shift = translation_range * (2 * drawn - 1)
    matrix = rotation_scale_shift(angle, scale, shift, image_size)
    return ComposedWarp(spline, AffineWarp(matrix, image_size, False, legacy_grid))
