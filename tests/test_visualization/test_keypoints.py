"""Points and lines are where they belong, in the colours they belong to."""

import numpy as np
import pytest

from mmkp.visualization import draw_edges, draw_keypoints
from mmkp.visualization.canvas import enlarged, rescaled

RED, BLUE = (230, 20, 20), (30, 60, 240)


@pytest.fixture
def paper():
    return np.full((60, 80, 3), 128, np.uint8)


def centroid(mask):
    y, x = np.nonzero(mask)
    return x.mean(), y.mean()


def test_disc_with_a_white_rim_at_its_place(paper):
    place = np.array([[40.25, 20.5]])
    drawn = draw_keypoints(paper, place, np.array([RED]), radius=5)
    assert tuple(drawn[20, 40]) == RED
    changed = (drawn != paper).any(-1)
    assert centroid(changed) == pytest.approx(place[0], abs=0.3)
    assert (drawn > 200).all(-1).sum() > 20
    radius = 5 + 1.75 + 0.5  # with the rim and half of the soft border
    assert changed.sum() == pytest.approx(np.pi * radius**2, rel=0.25)
    assert (paper == 128).all()


def test_sub_pixel_moves_are_visible(paper):
    left, right = (
        draw_keypoints(paper, np.array([[x, 30.0]]), np.array([RED]), radius=4)
        for x in (40.0, 40.5)
    )
    assert (left != right).any()


@pytest.mark.parametrize('point', [(np.nan, 3), (np.inf, 3), (1e9, 0)])
def test_points_that_cannot_be_drawn_are_left_out(paper, point):
    keypoints = np.array([point, (30.0, 30.0)])
    drawn = draw_edges(paper, keypoints, np.array([[0, 1]]))
    assert np.array_equal(drawn, paper)
    drawn = draw_keypoints(paper, keypoints, np.array([RED, BLUE]), radius=3)
    assert tuple(drawn[30, 30]) == BLUE
    assert not (drawn == RED).all(-1).any()


def test_low_scores_are_left_out(paper):
    keypoints = np.array([(20.0, 30.0), (60.0, 30.0)])
    drawn = draw_keypoints(
        paper, keypoints, np.array([RED, BLUE]), 3, np.array([0.2, 0.9]), min_score=0.5
    )
    assert np.array_equal(drawn[:, :40], paper[:, :40])
    assert tuple(drawn[30, 60]) == BLUE


def test_edges_are_brighter_the_larger_their_weight(paper):
    keypoints = np.array(
        [(5, 10), (75, 10), (5, 30), (75, 30), (5, 50), (75, 50)], float
    )
    edges = np.array([[0, 1], [2, 3], [4, 5]])
    drawn = draw_edges(paper, keypoints, edges, np.array([1.0, 0.5, 0.0]), thickness=3)
    strong, weak, none = drawn[[10, 30, 50], 40].astype(int)
    assert strong[0] > weak[0] > none[0] == 128
    assert tuple(strong) == (255, 214, 64)
    # Relative to the largest weight, in whatever unit.
    scaled = draw_edges(paper, keypoints, edges, np.array([2e-3, 1e-3, 0]), thickness=3)
    assert np.array_equal(drawn, scaled)


def test_crossing_edges_keep_the_stronger_one(paper):
    keypoints = np.array([(10, 30), (70, 30), (40, 5), (40, 55)], float)
    edges = np.array([[0, 1], [2, 3]])
    for weights in ([1.0, 0.3], [0.3, 1.0]):
        drawn = draw_edges(paper, keypoints, edges, np.array(weights), thickness=5)
        assert tuple(drawn[30, 40]) == (255, 214, 64)


@pytest.mark.parametrize('weights', [np.zeros(1), np.array([np.nan])])
def test_edges_without_weight_are_not_drawn(paper, weights):
    keypoints = np.array([(10.0, 30), (70, 30)])
    assert np.array_equal(
        draw_edges(paper, keypoints, np.array([[0, 1]]), weights), paper
    )


def test_rescaled_points_stay_on_their_pixels():
    image = np.zeros((10, 20, 3), np.uint8)
    image[3, 7] = 255
    large = enlarged(image, 200, smooth=False)
    assert large.shape == (100, 200, 3)
    [[x, y]] = rescaled(np.array([[7.0, 3.0]]), (20, 10), (200, 100))
    assert centroid(large[..., 0]) == pytest.approx((x, y))
    assert enlarged(large, 20).shape == image.shape
