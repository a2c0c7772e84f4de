"""Landmarks, boxes and files of annotations that are unusable are hidden or named."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmkp.datasets import DiscoveryEvaluationDataset, LandmarkDataset

NAN = float('nan')
POINTS = [[[1, 2, 2], [3, 4, 2], [5, 6, 2]], [[1, 2, 2], [NAN, 4, 2], [5, 6, 0]]]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpose')


def test_undefined_landmarks_are_invisible(make_landmarks, logged):
    root = make_landmarks(POINTS)
    dataset = LandmarkDataset('points.json', data_root=str(root))
    sample = dataset.get_data_info(1)
    np.testing.assert_array_equal(sample['keypoints'], [[[1, 2], [0, 0], [5, 6]]])
    np.testing.assert_array_equal(sample['keypoints_visible'], [[1, 0, 0]])
    assert sample['num_keypoints'] == 1
    message = (
        f'{root}/points.json: 1 annotations have keypoints that have no finite '
        'coordinates and count as invisible; the first: 1 of annotation 1 of '
        'points.json_1.png'
    )
    assert logged == [(30, message)]


def test_a_face_of_undefined_landmarks_is_left_out(make_landmarks, logged):
    root = make_landmarks([POINTS[0], [[NAN, NAN, 2]] * 3])
    assert len(LandmarkDataset('points.json', data_root=str(root))) == 1


def test_undefined_landmarks_of_wrapped_data_sets_are_invisible(make_landmarks, logged):
    root = make_landmarks(POINTS)
    names = {
        index: dict(name=f'p{index}', id=index, type='', swap='') for index in range(3)
    }
    metainfo = dict(
        dataset_name='plain',
        keypoint_info=names,
        skeleton_info={},
        joint_weights=[1.0] * 3,
        sigmas=[0.1] * 3,
    )
    part = dict(
        type='BaseCocoStyleDataset',
        ann_file='points.json',
        data_root=str(root),
        metainfo=metainfo,
    )
    dataset = DiscoveryEvaluationDataset(4, part, part)
    np.testing.assert_array_equal(
        dataset.get_data_info(3)['keypoints_visible'], [[1, 0, 0]]
    )
    # Both parts read the same file: it is said once.
    assert len(logged) == 1
    assert '1 of annotation 1 of points.json_1.png' in logged[0][1]


def test_undefined_annotated_box_is_derived_from_the_keypoints(make_landmarks, logged):
    root = make_landmarks(
        [POINTS[0], [[10, 10, 2], [20, 12, 2], [5, 6, 0]]],
        boxes=[[0, 0, 5, 5], [0, NAN, 5, 5]],
    )
    sample = LandmarkDataset('points.json', data_root=str(root)).get_data_info(1)
    np.testing.assert_allclose(sample['bbox'], [[9, 9, 21, 13]])
    assert logged == [
        (
            30,
            f'{root}/points.json: 1 annotations have no usable box: it is derived from '
            'the keypoints; the first: annotation 1 of points.json_1.png '
            '([0, nan, 5, 5])',
        )
    ]


def test_wrong_number_of_annotated_points(make_landmarks):
    root = make_landmarks([[[1, 2, 2], [3, 4, 2]]])
    with pytest.raises(ValueError) as raised:
        LandmarkDataset('points.json', data_root=str(root))
    assert str(raised.value) == (
        f'{root}/points.json: annotation 0 of points.json_0.png has 6 numbers, 9 are '
        'expected (x, y, visibility of each keypoint)'
    )


@pytest.mark.parametrize(
    'text, error, message',
    [
        (None, FileNotFoundError, 'annotation file {path} does not exist'),
        (
            '{',
            ValueError,
            '{path} ends at line 1, column 2 in the middle of its content',
        ),
        (
            '{"images": []}',
            ValueError,
            '{path} names no keypoints in its categories',
        ),
    ],
)
def test_bad_annotation_files(tmp_path, text, error, message):
    path = tmp_path / 'a.json'
    if text is not None:
        path.write_text(text)
    with pytest.raises(error) as raised:
        LandmarkDataset('a.json', data_root=str(tmp_path))
    assert str(raised.value).startswith(message.format(path=path))
