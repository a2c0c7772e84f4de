"""Which keypoints lie on the object."""

import numpy as np

from mmkp.evaluation.functional import object_cover, on_object


def test_the_nearest_pixel_decides():
    mask = np.zeros((4, 6), bool)
    mask[1, 2] = mask[3, 5] = mask[0, 0] = True
    keypoints = [[2.4, 0.6], [2.6, 1], [5.4, 3.4], [5.6, 3], [-0.6, 0], [-0.4, -0.4]]
    expected = [True, False, True, False, False, True]
    np.testing.assert_array_equal(on_object(np.array(keypoints), mask), expected)


def test_cover_counts_what_lies_in_the_crop():
    mask = np.zeros((10, 20), bool)
    mask[2:6, 3:8] = True
    assert object_cover(mask, np.zeros(2), np.array([20, 10])) == 20 / 200
    # Columns 5 to 8 and rows -2 to 4, of which two are beyond the image.
    assert object_cover(mask, np.array([5.2, -2]), np.array([4, 7])) == 9 / 28
    assert object_cover(mask, np.array([30.0, 30]), np.array([4, 4])) == 0
