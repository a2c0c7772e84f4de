# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Names of images that were written on another machine."""

import pytest

from mmkp.labels import find_image


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('mouse/a b.png', 'mouse/a b.png'),
        (r'mouse\a b.png', 'mouse/a b.png'),
        (r'C:\data\labeled-data\mouse\a b.png', 'mouse/a b.png'),
        ('/home/me/project/mouse/a b.png', 'mouse/a b.png'),
        ('./mouse/a b.png', './mouse/a b.png'),
        ('mouse/c.png', None),
        ('', None),
        ('mouse', None),
    ],
)
def test_names_below_the_folder_and_longer_ones(tmp_path, name, expected):
    (tmp_path / 'mouse').mkdir()
    (tmp_path / 'mouse' / 'a b.png').touch()
    assert find_image(tmp_path, name) == expected


def test_images_beside_the_table_are_found_last(tmp_path):
    beside = tmp_path / 'labeled-data' / 'mouse TEST'
    beside.mkdir(parents=True)
    (beside / '1.png').touch()
    name = r'labeled-data\mouse\1.png'
    assert find_image(tmp_path, name) is None
    assert find_image(tmp_path, name, beside) == 'labeled-data/mouse TEST/1.png'
    assert find_image(tmp_path / 'labeled-data' / 'other', name, beside) is None
