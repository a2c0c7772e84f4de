"""Some of many pictures, evenly spread, whatever their number."""

import cv2
import numpy as np
import pytest

from mmkp.apis.contact_sheet import ContactSheet


@pytest.mark.parametrize('number', [1, 7, 8, 23, 100, 1000])
def test_pictures_are_spread_evenly(number):
    sheet = ContactSheet(4)
    for index in range(number):
        level = np.full((2, 2, 3), index % 256, np.uint8)
        sheet.add(level if sheet.takes_next else None)
    kept = [int(tile[0, 0, 0]) for tile in sheet.tiles]
    assert min(number, 4) <= len(kept) < 8
    assert len(set(np.diff(kept) % 256)) <= 1 and kept[0] == 0


def test_sizes_differ(tmp_path):
    sheet = ContactSheet()
    sheet.write(tmp_path / 'a.jpg')
    assert not (tmp_path / 'a.jpg').exists()
    sheet.add(np.zeros((10, 20, 3), np.uint8))
    sheet.add(np.zeros((20, 10, 3), np.uint8))
    sheet.write(tmp_path / 'a.jpg')
    assert cv2.imread(str(tmp_path / 'a.jpg')).shape == (268, 530, 3)
