# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Furthest point sampling: points that lie far from each other."""

import torch
from torch import Tensor

from mmkp.ops.heatmaps.moments import squared_pair_distances


def furthest_point_sampling(points: Tensor, num_points: int) -> Tensor:
    """Furthest point sampling, beginning with the two points that are furthest apart.

    Each further point is ``argmax_p min_q |p - q|`` over the chosen points q, of equal
    ones the first (StableKeypoints, Hedlin et al., CVPR 2024, section 3.3, as
    released).

    Args:
        points: (x, y) in any unit, shape (B, M, 2).
        num_points: number k of points to choose, at most M.

    Returns:
        Indices of distinct points in the order of their choice, shape (B, k), int64.

    Raises:
        ValueError: there are fewer points than are to be chosen.
    """
    batch, number = points.shape[:2]
    if not 1 <= num_points <= number:
        raise ValueError(
            f'num_selected={num_points} of num_candidates={number}: select at least '
            'one and no more than there are candidates'
        )
    squares = squared_pair_distances(points)
    pairs = squares.masked_fill(squares.new_ones(number, number).tril().bool(), -1)
    first_pair = pairs.flatten(1).argmax(1)
    chosen = [first_pair.div(number, rounding_mode='floor'), first_pair % number]
    if number == 1:
        return torch.stack(chosen[:1], 1)
    images = torch.arange(batch, device=points.device)
    nearest = torch.minimum(*(squares[images, index] for index in chosen))
    for index in chosen:
        nearest.scatter_(1, index[:, None], -1)
    while len(chosen) < num_points:
        furthest = nearest.argmax(1)
        nearest = torch.minimum(nearest, squares[images, furthest])
        nearest.scatter_(1, furthest[:, None], -1)
        chosen.append(furthest)
    return torch.stack(chosen[:num_points], 1)
