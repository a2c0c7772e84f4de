# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which tokens describe an image: those with one peak each, far from each other."""

import torch
from torch import Tensor

from mmkp.ops.heatmaps.peaks import highest_cells
from mmkp.ops.precision import full_precision
from mmkp.ops.token_maps.furthest_point_sampling import furthest_point_sampling
from mmkp.ops.token_maps.separable_divergence import separable_kl_divergence

STRATEGIES = ('gaussian', 'entropy')


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
        strategy: ``'gaussian'``, smallest divergence from a Gaussian at the map's
            peak, see :mod:`~mmkp.ops.token_maps.gaussian_divergence`, or
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
        cost = separable_kl_divergence(maps, sigma)
    else:
        flat = full_precision(maps).flatten(-2)
        cost = flat.logsumexp(-1) - (flat.softmax(-1) * flat).sum(-1)
    return torch.argsort(cost, dim=-1, stable=True)[:, :num_candidates]


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
