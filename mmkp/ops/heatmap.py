"""From score maps to keypoints: softmax over space and its expectation."""

import torch
from torch import Tensor

GRIDS = ('inclusive', 'cell_centres')


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


def cell_positions(num_cells: int, num_pixels: int, grid: str, like: Tensor) -> Tensor:
    """Pixel coordinate of each heatmap cell along one axis.

    Args:
        num_cells: number of cells w of the map.
        num_pixels: number of pixels W of the network input.
        grid: 'inclusive', first and last cell on the centres of the first and
            last pixel, as AutoLink and IMM place them (``align_corners=True``);
            'cell_centres', each cell in the middle of the pixels that it covers.
        like: tensor whose dtype and device the result takes.

    Returns:
        Positions in pixels, pixel centres at integers, shape (w,).

    Raises:
        ValueError: unknown ``grid``.
    """
    index = torch.arange(num_cells, dtype=like.dtype, device=like.device)
    if grid == 'inclusive':
        if num_cells == 1:
            return index + (num_pixels - 1) / 2
        return index * ((num_pixels - 1) / (num_cells - 1))
    if grid == 'cell_centres':
        return (index + 0.5) * (num_pixels / num_cells) - 0.5
    raise ValueError(f'grid must be one of {GRIDS}, got {grid!r}')


def soft_argmax(
    probabilities: Tensor, image_size: tuple[int, int], grid: str = 'inclusive'
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
    grid: str = 'inclusive',
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
