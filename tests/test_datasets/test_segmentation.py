"""Masks from and to the segmentations of COCO's files."""

import json

import numpy as np
import pytest

from mmkp.datasets.segmentation import encode_mask, segmentation_mask

MASK = np.zeros((6, 9), bool)
MASK[1:4, 2:7] = True


def test_masks_return_from_a_file():
    stored = json.loads(json.dumps(encode_mask(MASK)))
    np.testing.assert_array_equal(segmentation_mask(stored, (6, 9)), MASK)


def test_polygons_and_plain_run_lengths_give_the_same_mask():
    polygon = [[2, 1, 7, 1, 7, 4, 2, 4]]
    counts = np.diff(np.flatnonzero(np.diff(MASK.T.ravel().astype(int))))
    plain = dict(size=[6, 9], counts=[13, *counts.tolist(), 14])
    for segmentation in (polygon, plain):
        np.testing.assert_array_equal(segmentation_mask(segmentation, (6, 9)), MASK)


def test_nothing_segmented_is_none():
    for segmentation in (None, [], [[1, 2, 3, 4]]):
        assert segmentation_mask(segmentation, (6, 9)) is None


def test_run_lengths_of_another_image_are_refused():
    with pytest.raises(ValueError, match=r'\[6, 9\].*\[9, 6\]'):
        segmentation_mask(encode_mask(MASK), (9, 6))
