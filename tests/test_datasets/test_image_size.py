# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The size of an image is that of what the data sets decode."""

import numpy as np
import pytest
from PIL import Image

from mmkp.datasets.image_decoding import CorruptImageError, decode_image
from mmkp.datasets.image_size import image_size


@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp', 'tif', 'bmp'])
@pytest.mark.parametrize('orientation', [0, 1, 3, 5, 6, 8, 9])
def test_sizes_are_those_of_the_decoder(tmp_path, suffix, orientation):
    path = tmp_path / f'a.{suffix}'
    exif = Image.Exif()
    exif[0x112] = orientation
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(path, exif=exif)
    height, width = decode_image(path.read_bytes()).shape[:2]
    assert image_size(path) == (width, height)
    if suffix == 'jpg':
        assert image_size(path) == ((60, 80) if 5 <= orientation <= 8 else (80, 60))


def test_damaged_metadata_do_not_matter(tmp_path):
    path = tmp_path / 'a.jpg'
    picture = Image.fromarray(np.zeros((60, 80, 3), np.uint8))
    picture.save(path, exif=b'Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff')
    assert image_size(path) == (80, 60)


def test_what_is_no_image_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.png does not exist'):
        image_size(tmp_path / 'none.png')
    with pytest.raises(CorruptImageError, match='is a folder'):
        image_size(tmp_path)
    path = tmp_path / 'a.jpg'
    for content in (b'', b'text', b'\xff\xd8\xff\xe0', b'\x89PNG\r\n\x1a\n'):
        path.write_bytes(content)
        with pytest.raises(CorruptImageError, match=r'a\.jpg'):
            image_size(path)
