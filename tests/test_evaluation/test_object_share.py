"""Which keypoints lie on the object."""

import numpy as np

from mmkp.evaluation.functional import on_object


def test_the_nearest_pixel_decides():
    mask = np.zeros((4, 6), bool)
    mask[1, 2] = mask[3, 5] = mask[0, 0] = True
    keypoints = [[2.4, 0.6], [2.6, 1], [5.4, 3.4], [5.6, 3], [-0.6, 0], [-0.4, -0.4]]
    expected = [True, False, True, False, False, True]
    np.testing.assert_array_equal(on_object(np.array(keypoints), mask), expected)
