# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which tokens are selected, against formulas and choices written out."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.ops.token_maps.gaussian_divergence import gaussian_kl_divergence
from mmkp.ops.token_maps.localization_targets import peak_gaussians
from mmkp.ops.token_maps.selection import (
    candidate_tokens,
    most_frequent_tokens,
    select_tokens,
)


def random_maps(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 12), st.data())
def test_candidates_come_by_growing_cost(seed, number, data):
    maps = random_maps(2, number, 5, 6, seed=seed)
    keep = data.draw(st.integers(1, number))
    probability = maps.flatten(2).softmax(-1)
    costs = {
        'gaussian': gaussian_kl_divergence(maps),
        'entropy': -(probability * probability.log()).sum(-1),
    }
    for strategy, cost in costs.items():
        found = candidate_tokens(maps, keep, 2.0, strategy)
        assert found.shape == (2, keep)
        expected = cost.sort(-1).values[:, :keep]
        torch.testing.assert_close(cost.gather(1, found), expected)


@pytest.mark.parametrize(
    ('strategy', 'expected'), [('gaussian', [2, 1, 0]), ('entropy', [1, 2, 0])]
)
def test_the_gaussian_strategy_alone_prefers_one_peak_to_two(strategy, expected):
    spots = torch.zeros(1, 2, 24, 24)
    spots[0, 0, 6, 6] = spots[0, 1, 18, 17] = 1
    one, other = peak_gaussians(spots, 2.0)[0]
    flat = torch.full_like(one, 1e-3)
    # Each further peak takes the softmax of heights in [0, 1] further from flat.
    maps = torch.stack((flat, one + other, one))[None]
    assert candidate_tokens(maps, 3, 2.0, strategy).tolist() == [expected]


def test_of_equal_candidates_the_smaller_token_comes_first():
    maps = random_maps(1, 3, 8, 8)[:, [2, 0, 2, 1, 0, 2]]
    found = candidate_tokens(maps, 6)[0].tolist()
    # Adjacent runs of equal maps, each in growing order.
    for group in ([0, 2, 5], [1, 4]):
        start = found.index(group[0])
        assert found[start : start + len(group)] == group


def test_candidates_that_cannot_be_taken_are_refused():
    maps = random_maps(1, 4, 5, 5)
    for number in (0, 5):
        with pytest.raises(
            ValueError, match=f'num_candidates={number} of num_tokens=4'
        ):
            candidate_tokens(maps, number)
    with pytest.raises(ValueError, match="strategy is 'variance', must be one of"):
        candidate_tokens(maps, 2, strategy='variance')


def planted(cells, size=32):
    """One Gaussian for each cell (x, y) of one image; None is a flat map."""
    maps = torch.full((1, len(cells), size, size), 1e-3)
    for index, cell in enumerate(cells):
        if cell is not None:
            spot = torch.zeros(size, size)
            spot[cell[1], cell[0]] = 1
            maps[0, index] = peak_gaussians(spot, 2.0)
    return maps


def test_candidates_are_seen_in_the_image_and_distances_in_its_second_view():
    image = planted([None, (5, 5), (25, 6), None, (15, 25)])
    second = planted([(0, 0), (4, 16), (28, 16), (31, 31), (6, 17)])
    found = select_tokens(image, second, 3, 2)
    # Tokens 0 and 3 are furthest apart but flat in the image, 1 and 4 too close.
    assert sorted(found[0].tolist()) == [1, 2]
    with pytest.raises(ValueError, match='num_selected=4 of num_candidates=3'):
        select_tokens(image, second, 3, 4)


def test_tokens_are_selected_for_each_image_of_a_batch():
    first = planted([(2, 2), None, (29, 29), (3, 2)])
    second = planted([None, (2, 29), (29, 2), (28, 3)])
    maps = torch.cat((first, second))
    together = select_tokens(maps, maps, 3, 2)
    alone = [select_tokens(m[None], m[None], 3, 2) for m in maps]
    assert torch.equal(together, torch.cat(alone))
    assert together.sort().values.tolist() == [[0, 2], [1, 2]]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 7), min_size=3, max_size=3), min_size=1),
    st.integers(1, 8),
)
def test_frequent_tokens_come_by_falling_count_then_by_number(selected, number):
    flat = list(itertools.chain(*selected))
    expected = sorted(range(8), key=lambda token: (-flat.count(token), token))
    found = most_frequent_tokens(torch.tensor(selected), 8, number)
    assert found.tolist() == expected[:number]


def test_frequent_tokens_refuse_what_does_not_fit():
    selected = torch.tensor([[0, 3]])
    for number in (0, 5):
        with pytest.raises(ValueError, match=f'num_keypoints={number} of num_tokens=4'):
            most_frequent_tokens(selected, 4, number)
    with pytest.raises(ValueError, match='from 0 to 3, but num_tokens is 3'):
        most_frequent_tokens(selected, 3, 2)
    with pytest.raises(ValueError, match='at least one training image'):
        most_frequent_tokens(selected[:0], 4, 2)
