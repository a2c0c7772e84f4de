# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""AutoLink's edge map as its paper writes it (He et al., NeurIPS 2022, section 3.2)."""

import torch
from torch import Tensor


def complete_graph(
    num_keypoints: int, device: torch.device | str | None = None
) -> Tensor:
    """All pairs of keypoints, the edges that AutoLink starts from.

    Args:
        num_keypoints: number of keypoints K, at least 0.
        device: of the result, torch's default when None.

    Returns:
        Pairs (i, j) with i < j in the order of ``torch.triu_indices(K, K, 1)``, shape
        (K(K-1)/2, 2), int64.

    Raises:
        ValueError: the number is negative.
    """
    if num_keypoints < 0:
        raise ValueError(f'num_keypoints must be at least 0, got {num_keypoints}')
    pairs = torch.triu_indices(num_keypoints, num_keypoints, 1, device=device)
    return pairs.T.contiguous()


def squared_segment_distance(
    x: Tensor, y: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """Squared distance d^2 of pixels to segments (AutoLink, section 3.2).

    Args:
        x: of the pixels, of a shape that broadcasts to that of the segments.
        y: likewise.
        start: x and y of the segments' first ends, shape (2, ...).
        end: likewise, of the other ends.

    Returns:
        Squared pixels, of the common shape.
    """
    step = end - start
    dx, dy = x - start[0], y - start[1]
    with torch.no_grad():
        # The nearest point does not move along its segment to first order, so its
        # place, 0 at the start and 1 at the end, counts as a constant in a gradient.
        length2 = step.square().sum(0)
        along = (dx * step[0] + dy * step[1]) / length2.where(length2 > 0, 1)
        along = along.clamp(0, 1)
    return (dx - along * step[0]).square() + (dy - along * step[1]).square()


def plain_edge_map(
    keypoints: Tensor,
    edge_weights: Tensor,
    image_size: tuple[int, int],
    thickness_px2: float,
    edges: Tensor,
) -> Tensor:
    """Edge map, ``max_e w_e exp(-d2_e / thickness)`` (AutoLink, section 3.2).

    Args: see :func:`mmkp.ops.edge_map.edge_map.edge_map`.

    Returns:
        Shape (B, 1, H, W), from one map (B, E, H, W) for each edge.
    """
    width, height = image_size
    x = torch.arange(width, device=keypoints.device)
    y = torch.arange(height, device=keypoints.device)[:, None]
    start, end = keypoints.permute(2, 0, 1)[:, :, edges.T, None, None].unbind(2)
    d2 = squared_segment_distance(x, y, start, end)
    values = edge_weights[:, None, None] * torch.exp(-d2 / thickness_px2)
    return values.max(1, keepdim=True).values
