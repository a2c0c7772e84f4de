# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which tokens are selected, against formulas and choices written out."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.ops.token_maps.localization_targets import peak_gaussians
from mmkp.ops.token_maps.selection import (
    candidate_tokens,
    furthest_point_sampling,
    gaussian_kl_divergence,
    most_frequent_tokens,
    select_tokens,
)


def random_maps(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def drawn_divergence(maps, sigma, epsilon):
    """KL(G || softmax of the map) with every Gaussian drawn."""
    target = peak_gaussians(maps, sigma) + epsilon
    target = target / target.sum((-2, -1), keepdim=True)
    logarithm = maps.flatten(-2).log_softmax(-1).view_as(maps)
    return (target * (target.log() - logarithm)).sum((-2, -1))


@pytest.mark.parametrize('sigma', [0.3, 2.0, 40.0])
@pytest.mark.parametrize('epsilon', [1e-5, 0.1])
def test_divergence_is_that_of_drawn_gaussians(sigma, epsilon):
    maps = 5 * random_maps(2, 6, 11, 14)
    # Peaks in corners and on an edge.
    maps[0, 0, 0, 0] = maps[0, 1, 10, 13] = maps[1, 2, 10, 4] = 9
    found = gaussian_kl_divergence(maps, sigma, epsilon)
    expected = drawn_divergence(maps, sigma, epsilon)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_divergence_is_zero_for_the_logarithm_of_the_gaussian_alone():
    peak = torch.zeros(1, 1, 12, 9, dtype=torch.float64)
    peak[0, 0, 3, 5] = 1
    maps = (peak_gaussians(peak, 2.0) + 1e-5).log()
    torch.testing.assert_close(
        gaussian_kl_divergence(maps), torch.zeros(1, 1, dtype=torch.float64)
    )
    assert gaussian_kl_divergence(maps, 1.9) > 1e-3


def test_divergence_does_not_change_with_where_the_peak_is():
    pair = torch.zeros(1, 2, 64, 64)
    pair[0, 0, 30, 25] = pair[0, 1, 34, 36] = 1
    maps = peak_gaussians(pair, 2.0)
    found = gaussian_kl_divergence(maps)
    assert found[0, 0] == pytest.approx(float(found[0, 1]), rel=1e-6)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_divergence_in_lower_precision(dtype):
    maps = random_maps(2, 5, 16, 16).to(dtype)
    found = gaussian_kl_divergence(maps)
    assert found.dtype == torch.float64
    expected = gaussian_kl_divergence(maps.double())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    with torch.autocast('cpu', torch.bfloat16):
        torch.testing.assert_close(gaussian_kl_divergence(maps), found)


@pytest.mark.parametrize('setting', [{'sigma': 0.0}, {'epsilon': -1e-5}])
def test_divergence_refuses_what_is_not_positive(setting):
    name, value = next(iter(setting.items()))
    with pytest.raises(ValueError, match=f'{name} is {value}, must be positive'):
        gaussian_kl_divergence(random_maps(1, 1, 4, 4), **setting)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 12), st.data())
def test_candidates_come_by_growing_cost(seed, number, data):
    maps = random_maps(2, number, 5, 6, seed=seed)
    keep = data.draw(st.integers(1, number))
    probability = maps.flatten(2).softmax(-1)
    costs = {
        'gaussian': drawn_divergence(maps, 2.0, 1e-5),
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


def greedy(points, number):
    """The same choice in plain Python, from integer points."""
    pairs = itertools.combinations(range(len(points)), 2)
    chosen = list(max(pairs, key=lambda pair: math.dist(*(points[i] for i in pair))))
    while len(chosen) < number:
        rest = [i for i in range(len(points)) if i not in chosen]
        chosen.append(
            max(
                rest, key=lambda i: min(math.dist(points[i], points[j]) for j in chosen)
            )
        )
    return chosen[:number]


grids = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(grids, st.data())
def test_furthest_points_are_distinct_and_those_of_the_greedy_choice(points, data):
    number = data.draw(st.integers(1, len(points)))
    found = furthest_point_sampling(torch.tensor([points]).float(), number)[0].tolist()
    assert len(set(found)) == number
    assert found == greedy(points, number)


@settings(max_examples=40, deadline=None)
@given(grids, st.sampled_from([2.0**-20, 0.25, 2.0, 2.0**30]))
def test_furthest_points_do_not_depend_on_the_unit(points, factor):
    points = torch.tensor([points]).float()
    number = points.shape[1]
    expected = furthest_point_sampling(points, number)
    # A power of two rounds nothing.
    assert torch.equal(furthest_point_sampling(points * factor, number), expected)


def test_furthest_points_of_a_batch_are_chosen_for_each_image():
    points = torch.tensor(
        [
            [[0.0, 0.0], [9.0, 0.0], [4.0, 0.0], [0.0, 3.0]],
            [[5.0, 5.0], [0.0, 0.0], [1.0, 0.0], [0.0, 9.0]],
        ]
    )
    assert furthest_point_sampling(points, 4).tolist() == [[1, 3, 2, 0], [2, 3, 0, 1]]


def test_points_in_one_place_are_all_chosen():
    assert furthest_point_sampling(torch.zeros(1, 4, 2), 4)[
        0
    ].sort().values.tolist() == [*range(4)]
    assert furthest_point_sampling(torch.ones(2, 1, 2), 1).tolist() == [[0], [0]]


@pytest.mark.parametrize('number', [0, 4])
def test_more_points_than_there_are_cannot_be_chosen(number):
    with pytest.raises(ValueError, match=f'num_selected={number} of num_candidates=3'):
        furthest_point_sampling(torch.zeros(1, 3, 2), number)


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
