"""Images of every depth, with alpha or turned by EXIF, load as eight bits of BGR."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from mmkp.datasets import LoadVerifiedImage
from mmkp.datasets.image_decoding import CorruptImageError


def load(path):
    return LoadVerifiedImage()(dict(img_path=str(path)))


def test_a_folder_called_like_an_image(tmp_path):
    (tmp_path / 'x.jpg').mkdir()
    with pytest.raises(CorruptImageError, match=r'x\.jpg is a folder'):
        load(tmp_path / 'x.jpg')


def test_alpha_is_dropped_and_colours_are_kept(tmp_path, picture):
    alpha = np.zeros((*picture.shape[:2], 1), np.uint8)
    cv2.imwrite(str(tmp_path / 'a.png'), np.concatenate([picture, alpha], -1))
    np.testing.assert_array_equal(load(tmp_path / 'a.png')['img'], picture)


def test_sixteen_bits_are_scaled_and_rounded(tmp_path):
    values = np.array([[0, 128, 129, 255, 256, 32896, 65279, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / 'deep.png'), values)
    image = load(tmp_path / 'deep.png')['img']
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image[0, :, 0], [0, 0, 1, 1, 1, 128, 254, 255])
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


def test_float_values_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / 'f.tiff'), np.ones((4, 4, 3), np.float32))
    with pytest.raises(
        CorruptImageError, match='holds float32 values; convert it to 8'
    ):
        load(tmp_path / 'f.tiff')


def test_grey_becomes_three_equal_channels(tmp_path, picture):
    cv2.imwrite(str(tmp_path / 'g.png'), picture[..., 0])
    image = load(tmp_path / 'g.png')['img']
    np.testing.assert_array_equal(image, np.repeat(picture[..., :1], 3, -1))


def test_exif_orientation_turns_image_and_box(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: shown turned by 90 degrees
    buffer = io.BytesIO()
    Image.fromarray(picture[..., ::-1]).save(buffer, 'png', exif=exif)
    (tmp_path / 'r.png').write_bytes(buffer.getvalue())
    jpeg = io.BytesIO()
    Image.fromarray(picture[..., ::-1]).save(jpeg, 'jpeg', exif=exif, quality=95)
    (tmp_path / 'r.jpg').write_bytes(jpeg.getvalue())
    result = load(tmp_path / 'r.jpg')
    assert result['img_shape'] == (48, 32)
    np.testing.assert_array_equal(result['bbox'], [[0, 0, 32, 48]])
    shown = cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE)
    assert np.abs(result['img'].astype(int) - shown).mean() < 3
