# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From score maps to keypoints: softmax over space and its expectation."""

import torch
from torch import Tensor

from mmkp.ops.geometry import MapGeometry
from mmkp.ops.precision import full_precision_product, in_full_precision


@in_full_precision
def spatial_softmax(logits: Tensor) -> Tensor:
    """Softmax over space, one probability distribution for each keypoint.

    p(u) = exp(s(u)) / sum_v exp(s(v)) (Thewlis et al., ICCV 2017, section 3.1;
    AutoLink, section 3.1). Computed in at least float32, under autocast too.

    Args:
        logits: scores s, shape (B, K, h, w), any floating dtype.

    Returns:
        Probabilities that sum to 1 over (h, w), shape (B, K, h, w), float32
        (float64 if the scores are float64).
    """
    return logits.flatten(2).softmax(dim=-1).view_as(logits)


@in_full_precision
def soft_argmax(probabilities: Tensor, geometry: MapGeometry) -> Tensor:
    """Soft-argmax (integral regression): the expected position, sum_u p(u) u.

    Thewlis et al., ICCV 2017, section 3.1; AutoLink, section 3.1; LMDIS (Zhang et al.,
    CVPR 2018), section 3.1, of channels that are divided by their mass.

    Args:
        probabilities: distributions over space, shape (B, K, h, w).
        geometry: where their cells lie.

    Returns:
        Keypoints (x, y) in network-input pixels, shape (B, K, 2), at least float32.
    """
    x, y = geometry.columns(probabilities), geometry.rows(probabilities)
    marginals = (probabilities.sum(-2), x), (probabilities.sum(-1), y)
    means = [full_precision_product(mass, line[:, None]) for mass, line in marginals]
    return torch.cat(means, -1)


@in_full_precision
def mass_near_keypoints(
    probabilities: Tensor, keypoints: Tensor, geometry: MapGeometry, radius: float
) -> Tensor:
    """Share of each distribution that lies near its own keypoint.

    A confidence in [0, 1] that does not depend on the size of the map, unlike
    the height of its peak.

    Args:
        probabilities: distributions over space, shape (B, K, h, w).
        keypoints: (x, y) in network-input pixels, shape (B, K, 2).
        geometry: where the cells lie.
        radius: distance in pixels that still counts as near.

    Returns:
        Mass in [0, 1], shape (B, K), at least float32.
    """
    x, y = geometry.columns(probabilities), geometry.rows(probabilities)
    dx2 = (x - keypoints[..., :1]).square()[:, :, None, :]
    dy2 = (y - keypoints[..., 1:]).square()[:, :, :, None]
    return (probabilities * (dx2 + dy2 <= radius**2)).sum((-2, -1)).clamp(0, 1)
