"""What a notebook holds becomes one kind of image, or one sentence."""

import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from mmkp.datasets.image_arrays import array_as_image, eight_bit
from mmkp.datasets.image_decoding import as_image

BGR = np.random.default_rng(0).integers(0, 255, (8, 6, 3), dtype=np.uint8)
BGR[0, 0] = 255
GREY = np.repeat(BGR[..., :1], 3, 2)
RGB = torch.from_numpy(BGR[..., ::-1].transpose(2, 0, 1).copy())
READ_ONLY = BGR.copy()
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        (BGR, BGR),
        (READ_ONLY, BGR),
        (BGR[..., 0], GREY),
        (BGR[..., :1], GREY),
        (np.dstack([BGR, BGR[..., 0]]), BGR),
        (BGR.astype(np.uint16) * 257, BGR),
        (BGR.astype(np.int64), BGR),
        (BGR.astype(np.float64), BGR),
        (BGR > 99, np.uint8(255) * (BGR > 99)),
        (BGR[::-1, ::-1, ::-1], BGR[::-1, ::-1, ::-1]),
        (BGR[:, ::2], BGR[:, ::2]),
        (RGB, BGR),
        (RGB / 255, BGR),
        ((RGB / 255).requires_grad_(), BGR),
        (RGB[2], GREY),
        (RGB[2:], GREY),
        (torch.cat([RGB, RGB[:1]]), BGR),
        (Image.fromarray(BGR[..., ::-1]), BGR),
        (Image.fromarray(BGR[..., 0]), GREY),
        (Image.fromarray(np.dstack([BGR[..., ::-1], BGR[..., 0]])), BGR),
        (Image.fromarray(BGR[..., 0].astype(np.uint16) * 257), GREY),
        (Image.fromarray(BGR[..., ::-1]).convert('CMYK'), BGR),
    ],
)
def test_every_way_to_hold_an_image(given, expected):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        found = as_image(given)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous and found.flags.writeable


def test_fractions_are_scaled_with_a_word():
    with pytest.warns(UserWarning, match='fractions of white and scaled'):
        found = array_as_image(BGR / 255)
    np.testing.assert_array_equal(found, BGR)


def test_exif_turn_of_a_pil_image():
    image = Image.fromarray(BGR[..., ::-1])
    image.getexif()[0x0112] = 6
    np.testing.assert_array_equal(array_as_image(image), np.rot90(BGR, -1))


def test_all_sixteen_bit_values_are_rounded():
    values = np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(eight_bit(values, ''), np.rint(values / 257.0))


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (BGR[:0], r'image 3 has no pixels: its shape is \(0, 6, 3\)'),
        (np.where(BGR == 255, np.nan, BGR), 'image 3 holds values that are not finite'),
        (BGR / 60.0 - 2, 'float64 values from -2 to 2.25: scale them to 0 to 255'),
        (BGR.astype(int) * 300, 'give 16 bits as uint16'),
        (BGR.transpose(2, 0, 1), r'give x.transpose\(1, 2, 0\), in BGR'),
        (BGR[..., :2], r'has the shape \(8, 6, 2\): give \(height, width, 3\) in BGR'),
        (BGR[None], r'it is a batch: give its images, list\(x\)'),
        (RGB[None], r'it is a batch: give its images, list\(x\)'),
        (torch.from_numpy(BGR), r'x.permute\(2, 0, 1\), or the array x.numpy\(\)'),
        (BGR.astype(object), 'image 3 holds object'),
        (BGR.tolist(), 'image 3 is a list: give a path'),
        (None, 'image 3 is a NoneType'),
    ],
)
def test_one_sentence_on_what_is_no_image(given, message):
    with pytest.raises(ValueError, match=message):
        as_image(given, 'image 3')
