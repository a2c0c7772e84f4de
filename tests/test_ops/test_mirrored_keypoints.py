"""Pairs of keypoints that take each other's places in mirror images."""

import itertools

import pytest
import torch

from mmkp.ops.mirrored_keypoints import mirror_cost, mirror_keypoints, mirror_partners

PARTNERS = torch.tensor([3, 4, 2, 0, 1])


def faces(number=6, seed=0):
    """Two pairs and a point on the axis, of figures that move, 64 pixels wide."""
    draw = torch.Generator().manual_seed(seed)
    left = torch.tensor([[20.0, 20.0], [26.0, 44.0]])
    middle = torch.tensor([[31.5, 32.0]])
    points = torch.cat([left, middle, mirror_keypoints(left, 64)])
    moved = torch.randn(number, 1, 2, generator=draw)
    return points + moved + 0.2 * torch.randn(number, 5, 2, generator=draw)


def test_mirroring_counts_pixel_centers_and_is_its_own_inverse():
    points = torch.tensor([[0.0, 5.0], [63.0, 7.0], [31.5, 1.0]])
    mirrored = mirror_keypoints(points, 64)
    assert mirrored.tolist() == [[63.0, 5.0], [0.0, 7.0], [31.5, 1.0]]
    assert torch.equal(mirror_keypoints(mirrored, 64), points)


def test_cost_is_the_mean_distance_both_ways():
    keypoints = torch.tensor([[[0.0, 0.0], [4.0, 0.0]], [[0.0, 0.0], [4.0, 0.0]]])
    mirrored = torch.tensor([[[4.0, 3.0], [0.0, 0.0]], [[4.0, 3.0], [0.0, 0.0]]])
    cost = mirror_cost(keypoints, mirrored)
    torch.testing.assert_close(cost, torch.tensor([[5.0, 1.5], [1.5, 4.0]]))


@pytest.mark.parametrize('margin', [0.5, 1.0])
def test_a_detector_by_places_has_its_pairs_found(margin):
    keypoints = faces()
    # The detector calls the left one of each image alike, so it changes in the mirror.
    found = faces(seed=0)[:, PARTNERS] + 0.3
    assert mirror_partners(mirror_cost(keypoints, found), margin).equal(PARTNERS)


def test_a_detector_that_knows_the_sides_of_the_object_has_none():
    keypoints = faces()
    assert mirror_partners(mirror_cost(keypoints, keypoints)).tolist() == [*range(5)]


def test_no_pair_without_a_margin():
    cost = torch.tensor([[1.0, 0.6], [0.6, 1.0]])
    assert mirror_partners(cost, 0.5).tolist() == [0, 1]
    assert mirror_partners(cost, 0.7).tolist() == [1, 0]


def test_a_keypoint_that_is_second_choice_gets_what_is_left():
    # 0 and 1 want each other most; 2 wants 0, but is left with 3.
    cost = torch.tensor(
        [[9, 1, 2, 8], [1, 9, 8, 8], [2, 8, 9, 3], [8, 8, 3, 9]], dtype=torch.float
    )
    assert mirror_partners(cost).tolist() == [1, 0, 3, 2]


def test_partners_are_an_involution_that_nobody_would_leave():
    draw = torch.Generator().manual_seed(1)
    for number in (1, 2, 5, 9):
        cost = torch.rand(number, number, generator=draw)
        cost = (cost + cost.T).fill_diagonal_(1.5)
        partners = mirror_partners(cost)
        assert partners[partners].tolist() == [*range(number)]
        price = cost[torch.arange(number), partners]
        for i, j in itertools.combinations(range(number), 2):
            assert cost[i, j] >= min(price[i], price[j])


def test_equal_costs_settle_too():
    assert mirror_partners(torch.ones(4, 4)).tolist() == [0, 1, 2, 3]
    flat = torch.ones(4, 4) - torch.eye(4) + 2 * torch.eye(4)
    assert sorted(mirror_partners(flat).tolist()) == [0, 1, 2, 3]
    assert (mirror_partners(flat) != torch.arange(4)).all()
