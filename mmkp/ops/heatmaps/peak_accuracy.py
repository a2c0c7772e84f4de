# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How many highest cells lie near those of the targets, told without reading them."""

import torch
from torch import Tensor

from mmkp.ops.heatmaps.peaks import highest_cells
from mmkp.ops.precision import per_axis


def peak_accuracy(
    heatmaps: Tensor, targets: Tensor, weights: Tensor, threshold: float = 0.05
) -> Tensor:
    """Mean over keypoints of the share of images in which the peak is near its target.

    The same as MMPose's ``pose_pck_accuracy``, which computes on the CPU, so that a
    GPU would be waited for at each step.

    Args:
        heatmaps: shape (B, K, h, w).
        targets: likewise.
        weights: of the keypoints, shape (B, K); those above 0 count.
        threshold: share of the map's sides, below which a peak is near.

    Returns:
        Scalar in [0, 1], float32, without gradient; 0 where no keypoint counts.
    """
    height, width = heatmaps.shape[-2:]
    offset = (_places(heatmaps) - _places(targets)).float()
    # As MMPose does: x by the height, y by the width.
    near = (offset / per_axis((height, width), offset)).norm(dim=-1) < threshold
    counts = weights > 0
    number = counts.sum(0)
    share = (near & counts).sum(0) / number.clamp_min(1)
    return share.sum() / (number > 0).sum().clamp_min(1)


def _places(maps: Tensor) -> Tensor:
    """(x, y) of the highest cells (B, K, 2), -1 where nothing is above 0."""
    maps = maps.detach()
    cells = torch.stack(highest_cells(maps), -1)
    return torch.where((maps.amax((-2, -1)) > 0)[..., None], cells, -1)
