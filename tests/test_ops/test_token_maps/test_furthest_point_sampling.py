# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Furthest point sampling against the same choice in plain Python."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.ops.token_maps.furthest_point_sampling import furthest_point_sampling


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
