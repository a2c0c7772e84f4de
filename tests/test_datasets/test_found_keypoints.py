# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints that were found before, as what a training begins from."""

import json

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmkp.datasets import UnlabeledImageDataset

FOUND = {
    'a.png': [([0, 0, 40, 30], [[4, 5], [30.5, None]])],
    'deep/b.png': [
        ([0, 0, 12, 12], [[1, 2], [3, 4]]),
        ([20, 0, 40, 30], [[22, 2], [33, 24]]),
    ],
    'other.png': [([0, 0, 40, 30], [[0, 0], [1, 1]])],
}
PIPELINE = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(80, 60)),
    dict(
        type='GenerateTarget',
        encoder=dict(type='RegressionLabel', input_size=(80, 60)),
    ),
    dict(type='PackPoseInputs'),
]


def write(path, found):
    records = [
        dict(image=name, instances=[dict(bbox=b, keypoints=k) for b, k in objects])
        for name, objects in found.items()
    ]
    path.write_text(json.dumps(dict(images=records)))
    return str(path)


@pytest.fixture
def folder(tmp_path):
    init_default_scope('mmpose')
    (tmp_path / 'images' / 'deep').mkdir(parents=True)
    for name in ('a.png', 'deep/b.png', 'c.png'):
        image = np.zeros((30, 40, 3), np.uint8)
        cv2.imwrite(str(tmp_path / 'images' / name), image)
    return tmp_path / 'images'


def samples(folder, file, **options):
    data = UnlabeledImageDataset(
        2, data_root=str(folder), keypoint_file=file, **options
    )
    return [data.get_data_info(index) for index in range(len(data))]


def test_samples_hold_what_was_found(folder, tmp_path, monkeypatch):
    told = []
    note = lambda text, **options: told.append(text)  # noqa: E731
    monkeypatch.setattr('mmkp.datasets.found_keypoints.print_log', note)
    file = write(tmp_path / 'keypoints.json', FOUND)
    first, without, deep = samples(folder, file)
    np.testing.assert_array_equal(first['keypoints'], [[[4, 5], [0, 0]]])
    np.testing.assert_array_equal(first['keypoints_visible'], [[1, 0]])
    assert not without['keypoints_visible'].any()
    np.testing.assert_array_equal(deep['keypoints'], [[[1, 2], [3, 4]]])
    assert 'has keypoints for 2 of 3 objects' in ''.join(told)
    assert 'keypoints' not in samples(folder, file, test_mode=True)[0]


def test_of_several_objects_that_in_the_box(folder, tmp_path):
    boxes = {'deep/b.png': [[21, 1, 19, 28], [10, 10, 8, 8]], 'a.png': [[0, 0, 9, 9]]}
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    file = write(tmp_path / 'keypoints.json', FOUND)
    found = samples(folder, file, bbox_file=str(tmp_path / 'boxes.json'))
    visible = [sample['keypoints_visible'].sum() for sample in found]
    assert visible == [0, 2, 0]  # the other boxes are of no object in the file
    np.testing.assert_array_equal(found[1]['keypoints'], [[[22, 2], [33, 24]]])


def test_they_are_targets_in_pixels_of_the_input(folder, tmp_path):
    file = write(tmp_path / 'keypoints.json', FOUND)
    data = UnlabeledImageDataset(
        2, data_root=str(folder), keypoint_file=file, pipeline=PIPELINE
    )
    labels = data[0]['data_samples'].gt_instance_labels
    # Twice as large: the middle of pixel 4 is at (4.5 * 2 - .5) of 80.
    np.testing.assert_allclose(labels.keypoint_labels[0, 0] * 80, [8.5, 10.5 * 4 / 3])
    assert labels.keypoint_weights.tolist() == [[1, 0]]


@pytest.mark.parametrize(
    'content, message',
    [
        ({'z.png': FOUND['a.png']}, 'has keypoints of none of the images'),
        ({'a.png': [([0, 0, 9, 9], [[1, 2]])]}, 'has 1 keypoints an object, num_key'),
        ({'a.png': [([0, 0, 9], [[1, 2], [3, 4]])]}, 'is no file of keypoints that'),
        ({'a.png': [([0, 0, 9, 9], [[1, 2], [3, 'x']])]}, 'is no file of keypoints'),
        ({'a.png': [([0, 0, 9, 9], [[1, 2, 3]] * 2)]}, 'is no file of keypoints'),
        ({'a.png': [([0, 0, 9, 9], 7)]}, 'is no file of keypoints'),
    ],
)
def test_files_that_are_of_no_use(folder, tmp_path, content, message):
    file = write(tmp_path / 'keypoints.json', content)
    with pytest.raises(ValueError, match=f'keypoints.json {message}'):
        samples(folder, file)


def test_files_that_are_none(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match='none.json does not exist'):
        samples(folder, str(tmp_path / 'none.json'))
    (tmp_path / 'keypoints.json').write_text('{"images": {"a": 1}}')
    with pytest.raises(ValueError, match='is no file of keypoints that'):
        samples(folder, str(tmp_path / 'keypoints.json'))
