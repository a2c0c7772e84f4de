# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What MMPose's codecs do to maps in NumPy and OpenCV, as tensor operations."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def maxima(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Highest cell of each map, as MMPose's ``get_heatmap_maximum``.

    Args:
        maps: shape (B, K, h, w).

    Returns:
        Cells (x, y), (B, K, 2), float32, -1 where the map is nowhere above 0; and the
        values there, (B, K).
    """
    flat = maps.flatten(2)
    index, width = flat.argmax(-1), maps.shape[-1]
    values = flat.amax(-1)
    cells = torch.stack((index % width, index // width), -1).float()
    return torch.where(values[..., None] > 0, cells, -1.0), values


def line_maxima(lines: Tensor) -> tuple[Tensor, Tensor]:
    """Highest bin of each line.

    Args:
        lines: shape (B, K, n).

    Returns:
        Bins and the values there, (B, K), float32.
    """
    return lines.argmax(-1).float(), lines.amax(-1)


class GaussianBlur(nn.Module):
    """MMPose's modulation of maps: OpenCV's Gaussian, then the height of before.

    Args:
        size: side of the kernel in cells, odd; OpenCV derives the deviation from it.
        along: 'both' axes, or only 'x'.
        border: 'constant', zeros, or 'reflect', OpenCV's own.
        keeps_height: whether the maximum of each map becomes what it was.
    """

    kernel: Tensor

    def __init__(
        self,
        size: int,
        along: str = 'both',
        border: str = 'constant',
        keeps_height: bool = True,
    ) -> None:
        super().__init__()
        line = cv2.getGaussianKernel(size, 0, cv2.CV_32F)
        self.register_buffer('kernel', torch.from_numpy(line).view(1, 1, 1, size))
        self.radius, self.along, self.border = size // 2, along, border
        self.keeps_height = keeps_height

    def forward(self, maps: Tensor) -> Tensor:
        """Blur maps.

        Args:
            maps: shape (B, K, h, w), float32.

        Returns:
            Same shape.
        """
        height, width = maps.shape[-2:]
        blurred = maps.reshape(-1, 1, height, width)
        sides = (self.radius, self.radius)
        blurred = F.conv2d(F.pad(blurred, (*sides, 0, 0), self.border), self.kernel)
        if self.along == 'both':
            padded = F.pad(blurred, (0, 0, *sides), self.border)
            blurred = F.conv2d(padded, self.kernel.transpose(-2, -1))
        blurred = blurred.view_as(maps)
        if not self.keeps_height:
            return blurred
        axes = (-2, -1)
        return blurred * (maps.amax(axes, True) / blurred.amax(axes, True))


def quarter_steps(maps: Tensor, cells: Tensor) -> Tensor:
    """A quarter of a cell to the higher neighbors, as ``refine_keypoints``.

    Args:
        maps: shape (B, K, h, w).
        cells: of the maxima, see :func:`maxima`.

    Returns:
        Steps of -.25, 0 or .25, (B, K, 2); 0 near the border, as there.
    """
    height, width = maps.shape[-2:]
    x, y = cells.unbind(-1)
    at = _Neighbors(maps, cells)
    moves_x = (x > 1) & (x < width - 1) & (y > 0)
    moves_y = (y > 1) & (y < height - 1) & (x > 0)
    dx = torch.where(moves_x, at(1, 0) - at(-1, 0), 0.0)
    dy = torch.where(moves_y, at(0, 1) - at(0, -1), 0.0)
    return torch.stack((dx, dy), -1).sign() / 4


def taylor_steps(maps: Tensor, cells: Tensor) -> Tensor:
    """Newton's step on the logarithm, as ``refine_keypoints_dark``.

    DARK (Zhang et al., CVPR 2020), equation 9.

    Args:
        maps: blurred, shape (B, K, h, w).
        cells: of the maxima, see :func:`maxima`.

    Returns:
        Steps, (B, K, 2); 0 within two cells of the border and where the Hessian is
        singular.
    """
    height, width = maps.shape[-2:]
    x, y = cells.unbind(-1)
    at = _Neighbors(maps.clamp_min(1e-10).log(), cells)
    dx = (at(1, 0) - at(-1, 0)) / 2
    dy = (at(0, 1) - at(0, -1)) / 2
    dxx = (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4
    dyy = (at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4
    dxy = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    determinant = dxx * dyy - dxy * dxy
    inside = (x > 1) & (x < width - 2) & (y > 1) & (y < height - 2)
    usable = inside & (determinant != 0)
    steps = _newton(dx, dy, dxx, dyy, dxy, torch.where(usable, determinant, 1.0))
    return torch.where(usable[..., None], steps, 0.0)


def udp_steps(maps: Tensor, cells: Tensor) -> Tensor:
    """Newton's step on the logarithm, as ``refine_keypoints_dark_udp``.

    UDP (Huang et al., CVPR 2020). Where a map is nowhere above 0 the neighbors are
    those that NumPy's negative indices find there.

    Args:
        maps: blurred, shape (B, K, h, w).
        cells: of the maxima, see :func:`maxima`.

    Returns:
        Steps, (B, K, 2).
    """
    padded = F.pad(maps.clamp(1e-3, 50.0).log(), (1, 1, 1, 1), 'replicate')
    stride = padded.shape[-1]
    at = _Neighbors(padded, cells + 1)
    center, right, below = at(0), at(1), at(stride)
    left, above = at(-1), at(-stride)
    dx, dy = (right - left) / 2, (below - above) / 2
    dxx = right - 2 * center + left
    dyy = below - 2 * center + above
    corners = at(stride + 1) + at(-stride - 1)
    dxy = (corners - right - below + 2 * center - left - above) / 2
    epsilon = float(np.finfo(np.float32).eps)
    dxx, dyy = dxx + epsilon, dyy + epsilon
    return _newton(dx, dy, dxx, dyy, dxy, dxx * dyy - dxy * dxy)


def line_steps(lines: Tensor, bins: Tensor) -> Tensor:
    """Newton's step on the logarithm along a line, as ``refine_simcc_dark``.

    Args:
        lines: blurred, shape (B, K, n).
        bins: of the maxima, (B, K), -1 where there is none.

    Returns:
        Steps, (B, K).
    """
    logs = F.pad(lines.clamp(1e-3, 50.0).log(), (2, 2), 'replicate')
    index = (bins + 2.5).long()

    def at(offset: int) -> Tensor:
        place = (index + offset).remainder(logs.shape[-1])  # -1 is NumPy's last
        return logs.gather(-1, place[..., None])[..., 0]

    slope = (at(1) - at(-1)) / 2
    curvature = (at(2) - 2 * at(0) + at(-2)) / 4
    # MMPose adds 1e-9; exporters take a sum with so small a number for nothing.
    return -slope / torch.where(curvature == 0, 1e-9, curvature)


def _newton(
    dx: Tensor, dy: Tensor, dxx: Tensor, dyy: Tensor, dxy: Tensor, determinant: Tensor
) -> Tensor:
    """Minus inverse Hessian times gradient, (B, K, 2)."""
    steps = (dxy * dy - dyy * dx, dxy * dx - dxx * dy)
    return torch.stack(steps, -1) / determinant[..., None]


class _Neighbors:
    """Values beside a cell of each map; outside they are wrapped, as NumPy does."""

    def __init__(self, maps: Tensor, cells: Tensor) -> None:
        number, height, self.width = maps.shape[1:]
        self.values = maps.flatten(1)
        first = torch.arange(number, device=maps.device) * height * self.width
        x, y = cells.long().unbind(-1)
        self.index = first + y * self.width + x
        self.size = number * height * self.width

    def __call__(self, x: int, y: int = 0) -> Tensor:
        index = (self.index + y * self.width + x).remainder(self.size)
        return self.values.gather(1, index)
