# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Image moments: where an object lies, along which axis, and which end is which.

Hu, "Visual pattern recognition by moment invariants", IRE Transactions on Information
Theory, 1962: central moments and the method of principal axes.
"""

import math

import torch
from torch import Tensor

from mmkp.ops.precision import constants, in_full_precision


@in_full_precision
def centroid(mass: Tensor) -> Tensor:
    """Center of mass (m10, m01) / m00, by moments m_pq = sum x^p y^q mass (Hu 1962).

    Args:
        mass: not negative, shape (B, H, W), floating.

    Returns:
        (x, y) in pixels, centers of pixels at integers, (B, 2); the middle of the image
        where there is no mass.
    """
    height, width = mass.shape[-2:]
    middle = constants(((width - 1) / 2, (height - 1) / 2), mass)
    x, y = _pixels(mass)
    total = mass.sum((1, 2))
    empty = (total == 0)[:, None]
    # About the middle, so that the sums stay exact.
    first = torch.stack(
        (
            (mass.sum(1) * (x - middle[0])).sum(1),
            (mass.sum(2) * (y - middle[1])).sum(1),
        ),
        1,
    )
    offset = first / torch.where(empty, 1, total[:, None])
    return middle + torch.where(empty, 0, offset)


@in_full_precision
def central_moments(mass: Tensor, center: Tensor, order: int = 3) -> Tensor:
    """Moments mu_pq = sum (x - cx)^p (y - cy)^q mass (Hu 1962).

    Args:
        mass: not negative, shape (B, H, W), floating.
        center: (x, y) in pixels, shape (B, 2).
        order: greatest p and q.

    Returns:
        Entry [b, p, q], shape (B, order + 1, order + 1), in units of mass times
        pixels^(p + q).
    """
    powers = [
        torch.stack([(line - center[:, axis, None]) ** p for p in range(order + 1)], 1)
        for axis, line in enumerate(_pixels(mass))
    ]
    return torch.einsum('bpx,byx,bqy->bpq', powers[0], mass, powers[1])


@in_full_precision
def principal_angle(moments: Tensor) -> Tensor:
    """Angle of the axis about which mass spreads least, the principal axis (Hu 1962).

    theta = 1/2 atan2(2 mu11, mu20 - mu02).

    Args:
        moments: of :func:`central_moments`, shape (B, 3, 3) or larger.

    Returns:
        Radians from the x axis towards the y axis, (B,), above -pi/2 up to pi/2. Which
        of its two directions the axis has is left open; 0 without a gradient where no
        axis is longer than the others.
    """
    double, difference = 2 * moments[:, 1, 1], moments[:, 2, 0] - moments[:, 0, 2]
    none = (double == 0) & (difference == 0)
    double, difference = double.where(~none, 0), difference.where(~none, 1)
    return 0.5 * torch.atan2(double, difference)


@in_full_precision
def axis_skewness(moments: Tensor, angle: Tensor) -> Tensor:
    """Skewness mu'30 mu'00^(1/2) / mu'20^(3/2) of the mass along an axis.

    The moments mu' are those of the image turned so that the axis is x. Skewness is
    positive towards the end with the longer tail.

    Args:
        moments: of :func:`central_moments`, shape (B, 4, 4) or larger.
        angle: of the axis in radians from the x axis towards the y axis, (B,).

    Returns:
        No unit, (B,); 0 where mass does not spread along the axis.
    """
    third = _along(moments, angle, 3)
    second, total = _along(moments, angle, 2), moments[:, 0, 0]
    flat = (second <= 0) | (total <= 0)
    spread = torch.where(flat, 1, second) ** 1.5
    skewness = third * torch.where(flat, 1, total).sqrt() / spread
    return torch.where(flat, 0, skewness)


@in_full_precision
def object_frame(
    mass: Tensor, window: float = 0.2, rounds: int = 4
) -> tuple[Tensor, Tensor]:
    """Center and direction of the object in the middle of an image, by its moments.

    Mass counts by a Gaussian window, which starts in the middle of the image and moves
    to the centroid of what it sees (mean shift), so that others hardly count.
    The direction is that of the principal axis towards its longer tail.

    Args:
        mass: not negative, shape (B, H, W), floating.
        window: standard deviation of the window over the longer side of the image.
        rounds: number of times that the window moves.

    Returns:
        (x, y) in pixels, (B, 2), and radians from the x axis towards the y axis, (B,),
        above -pi up to 3/2 pi.
    """
    height, width = mass.shape[-2:]
    deviation = window * max(height, width)
    lines = _pixels(mass)
    center = centroid(torch.zeros_like(mass))
    seen = mass
    for _ in range(rounds):
        bells = [
            (-((line - center[:, axis, None]) ** 2) / (2 * deviation**2)).exp()
            for axis, line in enumerate(lines)
        ]
        seen = mass * bells[0][:, None] * bells[1][:, :, None]
        center = centroid(seen)
    moments = central_moments(seen, center)
    angle = principal_angle(moments)
    backwards = axis_skewness(moments, angle) < 0
    return center, angle + math.pi * backwards


def _pixels(mass: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel x of each column (W,) and y of each row (H,)."""
    height, width = mass.shape[-2:]
    x, y = (
        torch.arange(n, dtype=mass.dtype, device=mass.device) for n in (width, height)
    )
    return x, y


def _along(moments: Tensor, angle: Tensor, order: int) -> Tensor:
    """Moment sum (x cos + y sin)^order of an axis, by the binomial theorem, (B,)."""
    terms = [
        math.comb(order, k)
        * angle.cos() ** (order - k)
        * angle.sin() ** k
        * moments[:, order - k, k]
        for k in range(order + 1)
    ]
    return torch.stack(terms).sum(0)
