# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Edge map: every edge of a keypoint graph drawn as a soft segment."""

import torch
from torch import Tensor


def complete_graph(num_keypoints: int) -> Tensor:
    """Every pair of keypoints, in the order of ``torch.triu_indices``."""
    return torch.triu_indices(num_keypoints, num_keypoints, 1).T.contiguous()


def edge_map(
    keypoints: Tensor,
    edge_weights: Tensor,
    image_size: tuple[int, int],
    thickness_px2: float,
    edges: Tensor | None = None,
) -> Tensor:
    """Draw a weighted graph: maximum over edges of a soft segment."""
    batch, num_keypoints = keypoints.shape[:2]
    width, height = image_size
    if edges is None:
        edges = complete_graph(num_keypoints)
    edges = edges.to(keypoints.device)
    keypoints, edge_weights = keypoints.float(), edge_weights.float()
    if not len(edges):
        return keypoints.new_zeros(batch, 1, height, width) + 0 * keypoints.sum()
    xs = torch.arange(width, device=keypoints.device)
    ys = torch.arange(height, device=keypoints.device)
    best = None
    for (i, j), weight in zip(edges.tolist(), edge_weights, strict=True):
        start, step = keypoints[:, i], keypoints[:, j] - keypoints[:, i]
        dx = xs - start[:, 0, None, None]
        dy = ys[:, None] - start[:, 1, None, None]
        step_x, step_y = step[:, 0, None, None], step[:, 1, None, None]
        length2 = (step_x**2 + step_y**2).clamp_min(1e-12)
        along = ((dx * step_x + dy * step_y) / length2).clamp(0, 1)
        d2 = (dx - along * step_x) ** 2 + (dy - along * step_y) ** 2
        value = weight * torch.exp(-d2 / thickness_px2)
        best = value if best is None else torch.maximum(best, value)
    return best[:, None]
