# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From score maps to keypoints: softmax over space and its expectation."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

GRIDS = ('inclusive', 'cell_centres')
Grid = str | Mapping[str, float]


def check_grid(grid: Grid) -> None:
    """Refuse what says nothing about where the cells of a map lie.

    Args:
        grid: see :func:`cell_positions`.

    Raises:
        ValueError: neither one of ``GRIDS`` nor a first position and a spacing.
    """
    if isinstance(grid, str):
        known = grid in GRIDS
    else:
        known = (
            isinstance(grid, Mapping)
            and set(grid) == {'first', 'spacing'}
            and grid['spacing'] > 0
        )
    if not known:
        raise ValueError(
            f'grid must be one of {GRIDS} or dict(first=..., spacing=...) with a '
            f'positive spacing, both in pixels, got {grid!r}'
        )


def spatial_softmax(logits: Tensor) -> Tensor:
    """Turn score maps into one probability distribution over space a keypoint.

    Computed in at least float32, under autocast too.

    Args:
        logits: scores, shape (B, K, h, w), any floating dtype.

    Returns:
        Probabilities that sum to 1 over (h, w), shape (B, K, h, w), float32
        (float64 if the scores are float64).
    """
    if logits.dtype != torch.float64:
        logits = logits.float()
    return logits.flatten(2).softmax(dim=-1).view_as(logits)


def cell_positions(num_cells: int, num_pixels: int, grid: Grid, like: Tensor) -> Tensor:
    """Pixel coordinate of each heatmap cell along one axis.

    Args:
        num_cells: number of cells w of the map.
        num_pixels: number of pixels W of the network input.
        grid: 'inclusive', first and last cell on the centres of the first and
            last pixel, as AutoLink and IMM place them (``align_corners=True``);
            'cell_centres', each cell in the middle of the pixels that it covers;
            ``dict(first=..., spacing=...)``, pixels of the first cell and from cell
            to cell along both axes, for networks without padding, whose maps cover
            only the inner part of the image.
        like: tensor whose dtype and device the result takes.

    Returns:
        Positions in pixels, pixel centres at integers, shape (w,).

    Raises:
        ValueError: unknown ``grid``.
    """
    first, spacing = cell_layout(num_cells, num_pixels, grid)
    index = torch.arange(num_cells, dtype=like.dtype, device=like.device)
    if grid == 'cell_centres':
        return (index + 0.5) * spacing - 0.5
    return index * spacing + first


def cell_layout(num_cells: int, num_pixels: int, grid: Grid) -> tuple[float, float]:
    """Where the first heatmap cell lies along one axis, and how far the next one is.

    Args:
        num_cells: number of cells w of the map.
        num_pixels: number of pixels W of the network input.
        grid: see :func:`cell_positions`.

    Returns:
        Position of the first cell and distance of two cells, in pixels.

    Raises:
        ValueError: unknown ``grid``.
    """
    check_grid(grid)
    if isinstance(grid, Mapping):
        return float(grid['first']), float(grid['spacing'])
    if grid == 'cell_centres':
        spacing = num_pixels / num_cells
        return 0.5 * spacing - 0.5, spacing
    if num_cells == 1:
        return (num_pixels - 1) / 2, float(max(num_pixels - 1, 1))
    return 0.0, (num_pixels - 1) / (num_cells - 1)


def cover_image(maps: Tensor, image_size: tuple[int, int], grid: Grid) -> Tensor:
    """Pad maps of the inner part of an image so that they cover all of it.

    What draws heatmaps stretches them over the whole image. Maps that cover it
    already, and grids that are no whole number of cells off, come as near as whole
    cells allow.

    Args:
        maps: shape (..., h, w).
        image_size: (W, H) of the network input in pixels.
        grid: where the cells lie, see :func:`cell_positions`.

    Returns:
        Maps with zeros around or with cells cut off, (..., h', w').
    """
    if isinstance(grid, str):
        return maps
    first, spacing = cell_layout(1, 1, grid)
    margins: list[int] = []
    for cells, pixels in zip(maps.shape[-1:-3:-1], image_size, strict=True):
        before = round((first + 0.5) / spacing - 0.5)
        margins += [before, max(1, round(pixels / spacing)) - cells - before]
    return F.pad(maps, margins)


def soft_argmax(
    probabilities: Tensor, image_size: tuple[int, int], grid: Grid = 'inclusive'
) -> Tensor:
    """Expected pixel position under each keypoint's distribution.

    Args:
        probabilities: distributions over space, shape (B, K, h, w).
        image_size: (W, H) of the network input in pixels.
        grid: where the cells lie, see :func:`cell_positions`.

    Returns:
        Keypoints (x, y) in network-input pixels, shape (B, K, 2).
    """
    height, width = probabilities.shape[-2:]
    x = cell_positions(width, image_size[0], grid, probabilities)
    y = cell_positions(height, image_size[1], grid, probabilities)
    return torch.stack((probabilities.sum(-2) @ x, probabilities.sum(-1) @ y), -1)


def mass_near_keypoints(
    probabilities: Tensor,
    keypoints: Tensor,
    image_size: tuple[int, int],
    radius: float,
    grid: Grid = 'inclusive',
) -> Tensor:
    """Share of each distribution that lies near its own keypoint.

    A confidence in [0, 1] that does not depend on the size of the map, unlike
    the height of its peak.

    Args:
        probabilities: distributions over space, shape (B, K, h, w).
        keypoints: (x, y) in network-input pixels, shape (B, K, 2).
        image_size: (W, H) of the network input in pixels.
        radius: distance in pixels that still counts as near.
        grid: where the cells lie, see :func:`cell_positions`.

    Returns:
        Mass in [0, 1], shape (B, K).
    """
    height, width = probabilities.shape[-2:]
    x = cell_positions(width, image_size[0], grid, probabilities)
    y = cell_positions(height, image_size[1], grid, probabilities)
    dx2 = (x - keypoints[..., :1]).square()[:, :, None, :]
    dy2 = (y - keypoints[..., 1:]).square()[:, :, :, None]
    return (probabilities * (dx2 + dy2 <= radius**2)).sum((-2, -1)).clamp(0, 1)
