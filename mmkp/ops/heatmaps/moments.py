# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Means, deviations and entropy of distributions over space.

All are computed in at least float32, under autocast too; float64 stays float64.
"""

import math

import torch
from torch import Tensor

from mmkp.ops.precision import full_precision_product, in_full_precision


@in_full_precision
def spatial_mean_and_deviation(
    distributions: Tensor, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the position, along each axis.

    The deviations are summed about the mean, not taken as a difference of two large
    squares, and from the marginals, which need no tensor of the maps' size.

    Args:
        distributions: non-negative, sum 1 over (h, w), shape (B, K, h, w).
        x: position of each column in any unit, shape (w,).
        y: position of each row in the same unit, shape (h,).

    Returns:
        Mean (x, y) and standard deviation (x, y), each (B, K, 2), in the unit of the
        positions. A deviation is at least the machine epsilon, so that the gradient
        of a map with a single cell is finite.
    """
    marginals = (distributions.sum(-2), distributions.sum(-1))
    means, deviations = [], []
    for marginal, position in zip(marginals, (x, y), strict=True):
        position = position.to(marginal.dtype)
        mean = full_precision_product(marginal, position[:, None])[..., 0]
        square = (position - mean[..., None]).square()
        variance = (marginal * square).sum(-1)
        floor = torch.finfo(variance.dtype).eps ** 2
        means.append(mean)
        deviations.append(variance.clamp_min(floor).sqrt())
    return torch.stack(means, -1), torch.stack(deviations, -1)


@in_full_precision
def spatial_entropy(distributions: Tensor, normalized: bool = False) -> Tensor:
    """Entropy of each distribution over space.

    Args:
        distributions: non-negative, sum 1 over (h, w), shape (..., h, w).
        normalized: divide by the entropy of a uniform map.

    Returns:
        Entropies in nats, or in [0, 1] if normalised, shape (...). The gradient is
        finite where a cell is empty.
    """
    smallest = torch.finfo(distributions.dtype).tiny
    logarithm = distributions.clamp_min(smallest).log()
    entropy = -(distributions * logarithm).sum((-2, -1))
    if not normalized:
        return entropy
    num_cells = distributions.shape[-2] * distributions.shape[-1]
    return entropy / max(math.log(num_cells), smallest)


@in_full_precision
def expected_squared_distance(
    p: Tensor, u: Tensor, q: Tensor, v: Tensor, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Expected squared distance of two independent positions, in O(HW).

    sum_ij p_i q_j w_j |u_i - v_j|^2 (Thewlis et al., ICCV 2017, equation 5), expanded
    into E_p|u|^2 E_q[w] + E_q[w|v|^2] - 2 <E_p u, E_q[w v]>. Positions should lie
    around the origin, so that the difference of the squares stays exact.

    Args:
        p: first distributions, shape (B, K, N).
        u: positions of its cells, shape (N, 2), the same for all images.
        q: second distributions, shape (B, K, N).
        v: positions of its cells, shape (B, N, 2).
        weights: weight w of each cell of the second, shape (B, N); 1 when None.

    Returns:
        The weighted sum (B, K) in squared units of the positions, and the weight
        E_q[w], (B, K), by which to divide it for the mean.
    """
    u, v = u.to(p.dtype), v.to(q.dtype)
    # One product reads the maps once: columns x, y, |.|^2 and, for q, the weight.
    of_u = torch.cat((u, u.square().sum(-1, keepdim=True)), -1)
    of_v = torch.cat(
        (v, v.square().sum(-1, keepdim=True), torch.ones_like(v[..., :1])), -1
    )
    if weights is not None:
        of_v = of_v * weights.to(v.dtype)[..., None]
    mean_u, square_u = full_precision_product(p, of_u).split((2, 1), -1)
    mean_v, square_v, weight = full_precision_product(q, of_v).split((2, 1, 1), -1)
    cross = (mean_u * mean_v).sum(-1)
    square = (square_u * weight + square_v).squeeze(-1)
    return square - 2 * cross, weight.squeeze(-1)


@in_full_precision
def mean_by_weight(weighted: Tensor, weights: Tensor) -> Tensor:
    """Mean of values that count by weights.

    Args:
        weighted: values times their weights, any shape.
        weights: of the values, at least 0, any shape.

    Returns:
        Scalar; 0, with a gradient of 0, where all weights are 0.
    """
    total = weights.sum()
    # Not over a tiny number, by which the gradient of 0 would be inf times 0.
    return weighted.sum() / torch.where(total > 0, total, 1.0)


@in_full_precision
def squared_pair_distances(points: Tensor) -> Tensor:
    """Squared distance of each point to each other point of its image.

    Args:
        points: (x, y) in any unit, shape (B, K, 2).

    Returns:
        Squared distances, shape (B, K, K), 0 on the diagonal.
    """
    return (points[:, :, None] - points[:, None]).square().sum(-1)
