import cv2
import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mmkp.datasets import metainfo
from mmkp.datasets.landmark_dataset import landmark_metainfo
from mmkp.datasets.metainfo import discovered_metainfo, distinct_colors


def test_parses_with_names_links_and_no_flip_pairs():
    parsed = parse_pose_metainfo(discovered_metainfo(4, [(0, 1), (1, 3)], 'mine'))
    assert parsed['dataset_name'] == 'mine'
    assert parsed['num_keypoints'] == 4
    assert parsed['skeleton_links'] == [(0, 1), (1, 3)]
    assert parsed['flip_indices'] == [0, 1, 2, 3]
    assert parsed['flip_pairs'] == []
    assert parsed['keypoint_colors'].shape == (4, 3)
    np.testing.assert_array_equal(parsed['dataset_keypoint_weights'], np.ones(4))


def test_one_keypoint_has_no_edges():
    parsed = parse_pose_metainfo(discovered_metainfo(1, np.empty((0, 2), int)))
    assert parsed['num_keypoints'] == 1
    assert parsed['skeleton_links'] == []


@pytest.mark.parametrize('count', [0, -3, 2.0, '8', None, True])
def test_refuses_what_is_no_number_of_keypoints(count):
    message = f'num_keypoints must be a whole number of at least 1, got {count!r}'
    with pytest.raises(ValueError) as error:
        discovered_metainfo(count)
    assert str(error.value) == message


def test_takes_numpy_integers():
    assert len(discovered_metainfo(np.int64(3))['keypoint_info']) == 3


@pytest.mark.parametrize('edge', [(0, 0), (0, 3), (-1, 1)])
def test_refuses_edges_to_nowhere(edge):
    with pytest.raises(ValueError, match='two different ones of 0 to 2'):
        discovered_metainfo(3, [edge])


def test_refuses_edges_that_are_no_pairs():
    with pytest.raises(ValueError, match=r'pairs \(E, 2\), got an array \(1, 3\)'):
        discovered_metainfo(3, [(0, 1, 2)])


@pytest.mark.parametrize('count, least', [(10, 40), (32, 20)])
def test_colours_are_far_apart(count, least):
    rgb = np.array([distinct_colors(count)], np.float32) / 255
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0]
    gaps = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    assert gaps[np.triu_indices(count, 1)].min() > least


def test_first_colours_do_not_depend_on_their_number():
    assert distinct_colors(50)[:8] == distinct_colors(8)


def test_left_and_right_landmarks_are_a_flip_pair():
    names = ['left_eye', 'right_eye', 'nose', 'left_ear']
    parsed = parse_pose_metainfo(landmark_metainfo(names, [(0, 2), (1, 2)], 'cat'))
    assert parsed['flip_indices'] == [1, 0, 2, 3]
    assert parsed['skeleton_links'] == [(0, 2), (1, 2)]


def test_landmark_names_may_not_repeat():
    with pytest.raises(ValueError, match='names of cat repeat'):
        landmark_metainfo(['eye', 'eye'], name='cat')


def test_cielab_is_that_of_opencv():
    rgb = np.random.default_rng(0).random((1000, 3))
    expected = cv2.cvtColor(rgb[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]
    # OpenCV interpolates in tables.
    np.testing.assert_allclose(metainfo._lab(rgb), expected, atol=0.5)
