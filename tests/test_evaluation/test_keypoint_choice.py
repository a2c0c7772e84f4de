# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The best K of M keypoints, apart."""

import numpy as np
import pytest

from mmkp.evaluation.functional import choose_keypoints

PLACES = np.array([[0.2, 0.2], [0.21, 0.2], [0.8, 0.2], [0.5, 0.8], [0.5, 0.5]])
KEYPOINTS = PLACES + np.random.default_rng(0).normal(0, 0.01, (20, 1, 2))


def test_equal_scores_give_the_furthest_points():
    np.testing.assert_array_equal(
        choose_keypoints(np.full(5, 0.7), KEYPOINTS, 3), [0, 2, 3]
    )


def test_a_bad_keypoint_is_left_out_however_far_it_is():
    scores = [0.8, 0.7, 0.9, 0.1, 0.8]
    np.testing.assert_array_equal(choose_keypoints(scores, KEYPOINTS, 3), [0, 2, 4])
    scores[1] = np.nan
    chosen = choose_keypoints(scores, KEYPOINTS, 4)
    np.testing.assert_array_equal(chosen, [0, 2, 3, 4])


def test_of_two_in_one_place_the_better_one_stays():
    scores = [0.6, 0.8, 0.7, 0.7, 0.7]
    np.testing.assert_array_equal(choose_keypoints(scores, KEYPOINTS, 4), [1, 2, 3, 4])
    np.testing.assert_array_equal(choose_keypoints(scores, KEYPOINTS, 5), range(5))
    np.testing.assert_array_equal(choose_keypoints(scores, KEYPOINTS, 1), [1])


def test_wrong_numbers():
    with pytest.raises(ValueError, match='6 of 5 keypoints cannot be kept'):
        choose_keypoints(np.ones(5), KEYPOINTS, 6)
    with pytest.raises(ValueError, match=r'\(4,\) scores do not fit'):
        choose_keypoints(np.ones(4), KEYPOINTS, 2)
