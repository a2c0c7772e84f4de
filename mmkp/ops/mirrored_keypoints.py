# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which keypoints change places when the image is mirrored."""

import torch
from torch import Tensor

from mmkp.ops.precision import in_full_precision


@in_full_precision
def mirror_keypoints(keypoints: Tensor, width: int) -> Tensor:
    """Places in an image of what was found in its mirror image, or back.

    Args:
        keypoints: (x, y) in pixels, centers at integers, shape (..., 2).
        width: of the image in pixels.

    Returns:
        (width - 1 - x, y), same shape.
    """
    x, y = keypoints.unbind(-1)
    return torch.stack((width - 1 - x, y), -1)


@in_full_precision
def mirror_cost(keypoints: Tensor, mirrored: Tensor) -> Tensor:
    """How far keypoint j lies from where the mirror image has keypoint i.

    The mean over images of |m_i - k_j|, made symmetric in i and j.

    Args:
        keypoints: k, found in the images, shape (B, K, 2).
        mirrored: m, found in their mirror images and brought back by
            :func:`mirror_keypoints`, same shape.

    Returns:
        In the unit of the keypoints, shape (K, K).
    """
    cost = (mirrored[:, :, None] - keypoints[:, None]).norm(dim=-1).mean(0)
    return (cost + cost.T) / 2


@in_full_precision
def mirror_partners(cost: Tensor, margin: float = 1.0) -> Tensor:
    """Pair keypoints with those whose places they take in mirror images.

    The stable assignment: again and again the two that are cheapest for each other,
    among those that are left, are paired. A keypoint may be its own partner.

    Args:
        cost: of :func:`mirror_cost`, symmetric, shape (K, K).
        margin: two are a pair only if they cost less than this share of what each of
            them costs by itself.

    Returns:
        Index of each keypoint's partner, its own where it has none, int64, (K,); the
        partner of the partner is the keypoint.
    """
    alone = cost.diagonal()
    allowed = cost < margin * torch.minimum(alone[:, None], alone)
    allowed.fill_diagonal_(True)
    own = torch.arange(len(cost), device=cost.device)
    partners, free = own, torch.ones_like(own, dtype=torch.bool)
    # Each round settles the cheapest two that are left, so K of them settle all.
    for _ in range(len(cost)):
        open_ = allowed & free & free[:, None]
        best = torch.where(open_, cost, torch.inf).argmin(1)
        settled = free & (best[best] == own)
        partners = torch.where(settled, best, partners)
        free = free & ~settled
    return partners
