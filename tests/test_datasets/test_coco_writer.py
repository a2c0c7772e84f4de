"""COCO files are written whole, and hold no point or box that is none."""

import numpy as np
import pytest
from converter_runs import read

from mmkp.datasets.coco_writer import CocoWriter, write_atomically


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'a.json'
    write_atomically(path, b'old')

    def interrupt(*names):
        raise KeyboardInterrupt

    monkeypatch.setattr('mmkp.datasets.coco_writer.os.replace', interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b'new')
    assert path.read_bytes() == b'old'
    assert [entry.name for entry in tmp_path.iterdir()] == ['a.json']


def test_points_that_are_no_numbers_are_hidden(tmp_path):
    writer = CocoWriter('set', ['a', 'b'])
    writer.add('x.png', (9, 8), np.array([[1, 2], [np.nan, 3]]), [True, True])
    writer.write(tmp_path / 'a.json')
    content, points = read(tmp_path / 'a.json')
    np.testing.assert_array_equal(points, [[[1, 2, 2], [0, 0, 0]]])
    assert content['annotations'][0]['num_keypoints'] == 1
    with pytest.raises(
        ValueError, match=r'x.png: expected 2 points .x, y., got .3, 2.'
    ):
        writer.add('x.png', (9, 8), np.zeros((3, 2)))


def test_boxes_and_sizes_that_contradict_are_refused():
    writer = CocoWriter('set', ['a'])
    writer.add('x.png', (9, 8), np.array([[1, 2]]))
    with pytest.raises(ValueError, match='x.png is 8 x 9 pixels, but was 9 x 8 before'):
        writer.add('x.png', (8, 9), np.array([[1, 2]]))
    for box in ([0, 0, np.nan, 1], [0, 0, 0, 5]):
        with pytest.raises(ValueError, match='y.png: .* is no box x, y, w, h'):
            writer.add('y.png', (9, 8), np.array([[1, 2]]), bbox=box)
    assert len(writer) == len(writer.content['images']) == 1
