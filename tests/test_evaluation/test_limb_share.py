import numpy as np
import pytest

from mmkp.evaluation.functional import (
    KeypointSamples,
    inside_polygon,
    limb_distances,
    near_body,
)
from mmkp.evaluation.functional.discovery_shares import Body, body_shares

# An L of two limbs, the second of them of unknown end in the second image.
JOINTS = np.array([[[0, 0], [4, 0], [4, 3.0]], [[0, 0], [4, 0], [np.nan, np.nan]]])
LINKS = [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ('place', 'expected'),
    [
        ((2, 1), (1, 1)),  # beside the first
        ((-3, 4), (5, 5)),  # beyond its start
        ((5, 2), (1, 5**0.5)),  # beside the second, beyond the end of the first
        ((4, 0), (0, 0)),
    ],
)
def test_distance_to_the_nearest_known_limb(place, expected):
    points = np.array([[place], [place]], float)
    found = limb_distances(points, JOINTS, LINKS)
    np.testing.assert_allclose(found[:, 0], expected)


def test_a_limb_of_no_length_is_a_point_and_none_is_far():
    joints = np.full((1, 2, 2), 1.0)
    assert limb_distances(np.array([[[4.0, 5]]]), joints, [(0, 1)]) == 5
    unknown = np.full((1, 2, 2), np.nan)
    assert limb_distances(np.array([[[4.0, 5]]]), unknown, [(0, 1)]) == np.inf


def test_inside_of_a_polygon_that_is_not_convex():
    corners = np.array([[[0, 0], [4, 0], [4, 4], [2, 1], [0, 4.0]]])
    points = np.array([[[2, 0.5], [2, 2], [0.5, 2], [3.5, 2], [5, 1], [2, -1.0]]])
    expected = [True, False, True, True, False, False]
    assert inside_polygon(points, corners)[0].tolist() == expected
    assert inside_polygon(points, corners[:, ::-1])[0].tolist() == expected
    assert not inside_polygon(points, corners[:, :2]).any()
    corners[0, 0] = np.nan
    assert not inside_polygon(points, corners).any()


def test_near_a_limb_or_in_the_trunk():
    square = np.array([[[0, 0], [10, 0], [10, 10], [0, 10.0], [20, 0]]])
    points = np.array([[[5, 5], [15, 0.9], [15, 1.1], [-0.5, 5.0]]])
    near = near_body(points, square, [(1, 4)], (0, 1, 2, 3), 1.0)
    assert near[0].tolist() == [True, True, False, False]


def test_shares_are_measured_in_sides_of_the_crop_beside_chance():
    # A limb along the middle line of crops twice as wide as high: side 100 * 2 ** .5.
    joints = np.tile(np.array([[[0, 0.5], [1, 0.5]]]), (3, 1, 1))
    keypoints = np.array([[[0.5, 0.5], [0.5, 0.9]]] * 2 + [[[0.5, 0.5], [0.5, 0.6]]])
    samples = KeypointSamples.from_arrays(keypoints, joints, None, [[200, 100]] * 3)
    # .1 of the height are 10 pixels, .0707 of the side.
    body = Body([(0, 1)], (), 0.08)
    shares, chance = body_shares(samples, dict(detector=keypoints), body)
    assert shares['detector'].tolist() == [100, pytest.approx(100 / 3)]
    assert chance == pytest.approx(100 * 2 * 0.08 * 2**0.5, abs=100 / 32)
    thin = body_shares(samples, dict(detector=keypoints), Body([(0, 1)], (), 0.07))
    assert thin[0]['detector'].tolist() == [100, 0]
