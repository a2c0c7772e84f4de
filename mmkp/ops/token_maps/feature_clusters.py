# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Clusters of features by their direction, and places as features of one length."""

import math

import torch
from torch import Tensor

from mmkp.ops.precision import in_full_precision


@in_full_precision
def spherical_kmeans(
    features: Tensor, num_clusters: int, iterations: int = 20, seed: int = 0
) -> Tensor:
    """Centers of clusters of features by their direction.

    Spherical k-means (Dhillon and Modha, Machine Learning 42, 2001): each feature goes
    to the center that it makes the smallest angle with, ``argmax_k f c_k``, and each
    center is the normalised sum of its features. It begins with k-means++ (Arthur and
    Vassilvitskii, SODA 2007): features drawn one after the other, in proportion to
    ``1 - max_k f c_k``.

    Args:
        features: shape (M, C); their length plays no part.
        num_clusters: number N of clusters, at most M.
        iterations: number of times that features are assigned; less where nothing
            changes any more.
        seed: of the features that it begins with.

    Returns:
        Centers, of length 1, shape (N, C), at least float32. A cluster that loses all
        features keeps its center.

    Raises:
        ValueError: there are fewer features than clusters.
    """
    if not 1 <= num_clusters <= len(features):
        raise ValueError(
            f'num_clusters={num_clusters} of {len(features)} features: make at least '
            'one and no more than there are features'
        )
    directions = torch.nn.functional.normalize(features, dim=1)
    centers = _first_centers(directions, num_clusters, seed)
    assigned = None
    for _ in range(iterations):
        nearest = (directions @ centers.T).argmax(1)
        if assigned is not None and torch.equal(nearest, assigned):
            break
        assigned = nearest
        sums = torch.zeros_like(centers).index_add_(0, nearest, directions)
        lengths = sums.norm(dim=1, keepdim=True)
        centers = torch.where(lengths > 1e-6, sums / lengths.clamp_min(1e-6), centers)
    return centers


def _first_centers(directions: Tensor, number: int, seed: int) -> Tensor:
    """k-means++: features far from those that were drawn before."""
    generator = torch.Generator().manual_seed(seed)
    chosen = [int(torch.randint(len(directions), (1,), generator=generator))]
    nearest = directions @ directions[chosen[0]]
    while len(chosen) < number:
        chances = (1 - nearest).clamp_min(1e-12).cpu()
        # torch.multinomial takes no more than 2^24 features.
        at = float(torch.rand((), generator=generator)) * float(chances.sum())
        found = int(torch.searchsorted(chances.cumsum(0), at))
        chosen.append(min(found, len(directions) - 1))
        nearest = torch.maximum(nearest, directions @ directions[chosen[-1]])
    return directions[chosen]


def position_channels(height: int, width: int) -> Tensor:
    """Places of cells as vectors of length 1, the more alike the nearer they are.

    The product of two is the mean of ``cos(pi du / 2)`` and ``cos(pi dv / 2)``, of a
    map that is 2 wide and high: 1 of a place with itself, -1 of opposite corners.

    Args:
        height: of the map in cells.
        width: of the map in cells.

    Returns:
        Shape (4, h, w), float32, on the CPU.
    """
    y, x = (
        (torch.arange(side, device='cpu') + 0.5) * (math.pi / side)
        for side in (height, width)
    )
    rows = torch.stack((y.cos(), y.sin()))[:, :, None].expand(-1, -1, width)
    columns = torch.stack((x.cos(), x.sin()))[:, None].expand(-1, height, -1)
    return torch.cat((rows, columns)) * 0.5**0.5
