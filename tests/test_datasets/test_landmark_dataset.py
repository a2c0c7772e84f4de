import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from mmkp.datasets import LandmarkDataset

POINTS = [[[1, 2, 2], [3, 4, 1], [5, 6, 0]]]


def test_landmarks_are_described_by_the_file(make_landmarks):
    init_default_scope('mmpose')
    root = make_landmarks(POINTS)
    dataset = DATASETS.build(
        dict(type='LandmarkDataset', ann_file='points.json', data_root=str(root))
    )
    assert list(dataset.metainfo['keypoint_name2id']) == ['left_a', 'right_a', 'b']
    assert dataset.metainfo['skeleton_links'] == [(0, 2)]
    sample = dataset.get_data_info(0)
    assert sample['flip_indices'] == [1, 0, 2]
    np.testing.assert_array_equal(sample['keypoints'], [[[1, 2], [3, 4], [5, 6]]])
    np.testing.assert_array_equal(sample['keypoints_visible'], [[1, 1, 0]])
    np.testing.assert_array_equal(sample['bbox'], [[0, 0, 48, 32]])
    assert sample['num_keypoints'] == 2


def test_boxes_are_clipped_to_the_edges_of_the_image(make_landmarks):
    root = make_landmarks(POINTS, boxes=[[-4, 10, 100, 30]])
    sample = LandmarkDataset('points.json', data_root=str(root)).get_data_info(0)
    np.testing.assert_array_equal(sample['bbox'], [[0, 10, 48, 32]])


def test_the_box_may_be_that_of_the_whole_image(make_landmarks):
    root = make_landmarks(POINTS, boxes=[[10, 10, 8, 6]])
    options = dict(ann_file='points.json', data_root=str(root))
    sample = LandmarkDataset(**options).get_data_info(0)
    np.testing.assert_array_equal(sample['bbox'], [[10, 10, 18, 16]])
    sample = LandmarkDataset(box='image', **options).get_data_info(0)
    np.testing.assert_array_equal(sample['bbox'], [[0, 0, 48, 32]])
    with pytest.raises(ValueError, match="box='figure' is unknown"):
        LandmarkDataset(box='figure', **options)


def test_names_may_be_given(make_landmarks):
    root = make_landmarks(POINTS)
    path = root / 'points.json'
    content = json.loads(path.read_text())
    del content['categories'][0]['keypoints']
    path.write_text(json.dumps(content))
    dataset = LandmarkDataset('points.json', ['x', 'y', 'z'], data_root=str(root))
    assert list(dataset.metainfo['keypoint_name2id']) == ['x', 'y', 'z']
    assert dataset.metainfo['dataset_name'] == 'points'


def test_another_number_of_names_than_points_is_refused(make_landmarks):
    root = make_landmarks(POINTS)
    with pytest.raises(ValueError, match='has 9 numbers, 6 are expected'):
        LandmarkDataset('points.json', ['x', 'y'], data_root=str(root))


def test_nothing_usable_is_an_error(make_landmarks):
    root = make_landmarks([[[1, 2, 0]] * 3])
    with pytest.raises(ValueError, match='points.json has no usable annotation'):
        LandmarkDataset('points.json', data_root=str(root))
