# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Kernels of thin-plate splines, and the spline through given points."""

from collections.abc import Callable

import torch
from torch import Tensor

from mmkp.ops import accelerators
from mmkp.ops.precision import in_full_precision


@in_full_precision
def clipped_kernel(r2: Tensor) -> Tensor:
    """r^2 log r^2 with r^2 clipped at 1e-8 from below (IMM)."""
    r2 = r2.clamp_min(1e-8)
    return r2 * r2.log()


@in_full_precision
def shifted_kernel(r2: Tensor) -> Tensor:
    """r^2 log(r^2 + 1e-5) (DVE, and where LMDIS solves for its splines)."""
    return r2 * (r2 + 1e-5).log()


@in_full_precision
def half_kernel(r2: Tensor) -> Tensor:
    """r^2 log(r + 1e-6), half the kernel that the released LMDIS solves with."""
    # The clamp only keeps the gradient of the root finite at a control point.
    return r2 * (r2.clamp_min(1e-24).sqrt() + 1e-6).log()


KERNELS: dict[str, Callable[[Tensor], Tensor]] = {
    'clipped': clipped_kernel,
    'shifted': shifted_kernel,
    'half': half_kernel,
}


@in_full_precision
def thin_plate_kernel(
    points_norm: Tensor, control_points_norm: Tensor, kernel: str = 'clipped'
) -> Tensor:
    """Thin-plate kernel between points and control points.

    Args:
        points_norm: shape (B, N, 2).
        control_points_norm: shape (C, 2).
        kernel: one of ``KERNELS``.

    Returns:
        Kernel values, shape (B, N, C), at least float32.

    Raises:
        ValueError: the kernel is not known.
    """
    if kernel not in KERNELS:
        raise ValueError(f'kernel is {kernel!r}, must be one of {sorted(KERNELS)}')
    difference = points_norm[:, :, None] - control_points_norm
    return KERNELS[kernel](difference.square().sum(-1))


@in_full_precision
def solve_thin_plate_spline(
    control_points_norm: Tensor, targets_norm: Tensor, kernel: str = 'shifted'
) -> tuple[Tensor, Tensor]:
    """Coefficients of the smoothest spline through given points.

    Solves K w + P a = targets under P^T w = 0 (Bookstein 1989, section II), in
    float64.

    Args:
        control_points_norm: C points, not all on one line, shape (C, 2).
        targets_norm: where each goes, shape (B, C, 2).
        kernel: one of ``KERNELS``.

    Returns:
        Affine part on (x, y, 1), shape (B, 2, 3), and the kernels' coefficients,
        shape (B, C, 2), in the dtype of the targets, at least float32.
    """
    control, targets = control_points_norm.double(), targets_norm.double()
    count = len(control)
    polynomial = torch.cat((control, control.new_ones(count, 1)), 1)
    matrix = control.new_zeros(count + 3, count + 3)
    matrix[:count, :count] = thin_plate_kernel(control[None], control, kernel)[0]
    matrix[:count, count:] = polynomial
    matrix[count:, :count] = polynomial.T
    right = torch.cat((targets, targets.new_zeros(len(targets), 3, 2)), 1)
    # An accelerator would be waited for to learn whether there is a solution.
    check = not accelerators.is_accelerator(matrix.device)
    solution, _ = torch.linalg.solve_ex(matrix, right, check_errors=check)
    solution = solution.to(targets_norm.dtype)
    return solution[:, count:].transpose(1, 2), solution[:, :count]
