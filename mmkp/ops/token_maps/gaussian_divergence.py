# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Kullback-Leibler divergence of attention maps from a Gaussian at their own peak."""

import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.token_maps.localization_targets import peak_gaussians


def gaussian_kl_divergence(
    maps: Tensor, sigma: float = 2.0, epsilon: float = 1e-5
) -> Tensor:
    """Divergence ``KL(G || softmax over space of the map)``.

    StableKeypoints (Hedlin et al., CVPR 2024), section 3.3, as released: G is
    ``exp(-d^2 / (2 sigma^2)) + epsilon`` around the highest cell, divided by its sum.

    Args:
        maps: attention, shape (B, N, h, w), any floating dtype.
        sigma: standard deviation in cells, positive.
        epsilon: what is added to the Gaussian, whose peak is 1; positive.

    Returns:
        Divergence in nats, shape (B, N), float64: maps are almost flat in [0, 1], so
        that float32 would round away what tells them apart.
    """
    maps = maps.double()
    gaussian = peak_gaussians(maps, sigma) + epsilon
    gaussian = gaussian / gaussian.sum((-2, -1), keepdim=True)
    log_probability = maps.flatten(-2).log_softmax(-1).view_as(maps)
    return F.kl_div(log_probability, gaussian, reduction='none').sum((-2, -1))
