# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which tokens describe an image: those with one peak each, far from each other."""

import math

import torch
from torch import Tensor

from mmkp.ops.heatmaps.moments import full_precision, squared_pair_distances
from mmkp.ops.heatmaps.peaks import highest_cells
from mmkp.ops.token_maps.localization_targets import gaussian_line

STRATEGIES = ('gaussian', 'entropy')


def gaussian_kl_divergence(
    maps: Tensor, sigma: float = 2.0, epsilon: float = 1e-5
) -> Tensor:
    """Divergence of each map from a Gaussian at its own peak.

    KL(G || softmax over space of the map) with G = exp(-d^2 / (2 sigma^2)) + epsilon,
    divided by its sum (StableKeypoints, Hedlin et al., CVPR 2024, section 3.3, as
    released). With log softmax = map - logsumexp(map) the divergence falls apart into
    the negative entropy of G, which depends on the place of the peak alone and comes
    from a table, the mean of the map under G, in which G separates into x and y, and
    the logsumexp; no Gaussian is ever drawn.

    Args:
        maps: attention, shape (B, N, h, w), any floating dtype.
        sigma: standard deviation in cells, positive.
        epsilon: what is added to the Gaussian, whose peak is 1; positive.

    Returns:
        Divergence in nats, non-negative up to rounding, shape (B, N), float64.

    Raises:
        ValueError: sigma or epsilon is not positive.
    """
    for name, value in (('sigma', sigma), ('epsilon', epsilon)):
        if not value > 0:
            raise ValueError(f'{name} is {value}, must be positive')
    maps = full_precision(maps)
    height, width = maps.shape[-2:]
    column, row = highest_cells(maps)
    of_x = gaussian_line(column, width, sigma)
    of_y = gaussian_line(row, height, sigma)
    total = of_x.sum(-1) * of_y.sum(-1) + epsilon * height * width
    negentropy = _weighted_logarithms(row, column, height, width, sigma, epsilon)
    negentropy = negentropy / total - total.log()
    with torch.autocast(maps.device.type, enabled=False):
        by_column = (of_y.to(maps.dtype)[..., None, :] @ maps).squeeze(-2)
    under_gaussian = (by_column * of_x.to(maps.dtype)).sum(-1)
    mean = (under_gaussian + epsilon * maps.sum((-2, -1))) / total
    # exp(m) - 1 and a double sum keep what tells two almost flat maps apart.
    cells = height * width
    excess = torch.expm1(maps).sum((-2, -1), dtype=torch.float64)
    return negentropy - mean + math.log(cells) + torch.log1p(excess / cells)


def _weighted_logarithms(
    row: Tensor, column: Tensor, height: int, width: int, sigma: float, epsilon: float
) -> Tensor:
    """Sum of g log g over the cells, g = Gaussian + epsilon, for each centre.

    A map is a window of the Gaussian on a grid that is large enough for all centres,
    so the sum is read from that grid's integral image.
    """
    of_x = gaussian_line(column.new_tensor(width - 1), 2 * width - 1, sigma)
    of_y = gaussian_line(row.new_tensor(height - 1), 2 * height - 1, sigma)
    values = of_y[:, None] * of_x + epsilon
    # Less what all cells would have without a Gaussian, so that sums stay exact.
    background = epsilon * math.log(epsilon)
    excess = values * values.log() - background
    integral = torch.nn.functional.pad(excess.cumsum(0).cumsum(1), (1, 0, 1, 0))
    top, left = height - 1 - row, width - 1 - column
    window = (
        integral[top + height, left + width]
        - integral[top, left + width]
        - integral[top + height, left]
        + integral[top, left]
    )
    return window + background * height * width


def candidate_tokens(
    maps: Tensor,
    num_candidates: int = 25,
    sigma: float = 2.0,
    strategy: str = 'gaussian',
) -> Tensor:
    """Tokens whose maps have most of a single peak (StableKeypoints, section 3.3).

    Args:
        maps: attention, shape (B, N, h, w).
        num_candidates: number M of tokens to keep, at most N.
        sigma: standard deviation of the Gaussian in cells.
        strategy: ``'gaussian'``, smallest :func:`gaussian_kl_divergence`, or
            ``'entropy'``, smallest entropy of the softmax over space.

    Returns:
        Token indices, best first, of equal ones the smaller index first, shape (B, M),
        int64.

    Raises:
        ValueError: there are fewer tokens than candidates, or no such strategy.
    """
    num_tokens = maps.shape[1]
    if not 1 <= num_candidates <= num_tokens:
        raise ValueError(
            f'num_candidates={num_candidates} of num_tokens={num_tokens}: take at '
            'least one and no more than there are tokens'
        )
    if strategy not in STRATEGIES:
        raise ValueError(f'strategy is {strategy!r}, must be one of {STRATEGIES}')
    if strategy == 'gaussian':
        cost = gaussian_kl_divergence(maps, sigma)
    else:
        flat = full_precision(maps).flatten(-2)
        cost = flat.logsumexp(-1) - (flat.softmax(-1) * flat).sum(-1)
    return torch.argsort(cost, dim=-1, stable=True)[:, :num_candidates]


def furthest_point_sampling(points: Tensor, num_points: int) -> Tensor:
    """Points that lie far apart, beginning with the two that are furthest apart.

    Each further point is the one whose nearest chosen point is furthest away; of equal
    ones the first (StableKeypoints, section 3.3, as released).

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
        nearest[images, index] = -1
    while len(chosen) < num_points:
        furthest = nearest.argmax(1)
        nearest = torch.minimum(nearest, squares[images, furthest])
        nearest[images, furthest] = -1
        chosen.append(furthest)
    return torch.stack(chosen[:num_points], 1)


def select_tokens(
    maps: Tensor,
    warped_maps: Tensor,
    num_candidates: int = 25,
    num_selected: int = 10,
    sigma: float = 2.0,
    strategy: str = 'gaussian',
) -> Tensor:
    """Tokens that describe each image (StableKeypoints, section 3.3, as released).

    Candidates are ranked by the maps of the image; how far apart they lie is seen in
    the maps of its second view.

    Args:
        maps: attention of the image, shape (B, N, h, w).
        warped_maps: attention of its second view, (B, N, h, w).
        num_candidates: number of candidates, at most N.
        num_selected: number k of tokens to select among them.
        sigma: standard deviation of the Gaussian in cells.
        strategy: see :func:`candidate_tokens`.

    Returns:
        Token indices in the order of their choice, shape (B, k), int64.

    Raises:
        ValueError: the numbers do not fit each other, or no such strategy.
    """
    candidates = candidate_tokens(maps, num_candidates, sigma, strategy)
    images = torch.arange(len(maps), device=maps.device)[:, None]
    column, row = highest_cells(warped_maps[images, candidates])
    # Whole cells: equal distances are equal without rounding.
    chosen = furthest_point_sampling(
        torch.stack((column, row), -1).float(), num_selected
    )
    return candidates.gather(1, chosen)


def most_frequent_tokens(
    selected: Tensor, num_tokens: int, num_keypoints: int
) -> Tensor:
    """Tokens that were selected for the most images (StableKeypoints, section 3.3).

    Args:
        selected: token indices of n images, shape (n, k), int64.
        num_tokens: number N of tokens.
        num_keypoints: number K of tokens to return, at most N.

    Returns:
        Token indices by falling count, of equal ones the smaller first; tokens that
        no image has come last. Shape (K,), int64.

    Raises:
        ValueError: more keypoints than tokens, no image, or an index beyond N.
    """
    if not 1 <= num_keypoints <= num_tokens:
        raise ValueError(
            f'num_keypoints={num_keypoints} of num_tokens={num_tokens}: take at least '
            'one and no more than there are tokens'
        )
    if selected.numel() == 0:
        raise ValueError('no tokens were selected: give at least one training image')
    if selected.min() < 0 or selected.max() >= num_tokens:
        raise ValueError(
            f'selected tokens reach from {int(selected.min())} to '
            f'{int(selected.max())}, but num_tokens is {num_tokens}: select among '
            'the same tokens'
        )
    counts = torch.bincount(selected.flatten(), minlength=num_tokens)
    return torch.argsort(counts, descending=True, stable=True)[:num_keypoints]
