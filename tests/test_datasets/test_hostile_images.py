"""Images that claim what their bytes cannot hold, or that crash their readers."""

import io
import resource
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from mmkp.datasets.image_decoding import CorruptImageError, decode_image
from mmkp.datasets.image_headers import can_hold, header_size

FORMATS = {'PNG': 'png', 'JPEG': 'jpeg', 'BMP': 'bmp', 'TIFF': 'tiff', 'WEBP': 'webp'}


def encode(kind, size=(20, 16), **options):
    buffer = io.BytesIO()
    Image.new('RGB', size, (9, 99, 199)).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize('options', [{}, dict(lossless=True), dict(exif=b'Exif\0\0II')])
@pytest.mark.parametrize('kind', FORMATS)
def test_sizes_of_headers(kind, options):
    if options and kind != 'WEBP':
        options = dict(progressive=True) if kind == 'JPEG' else {}
    assert header_size(encode(kind, (300, 17), **options)) == (300, 17)


@pytest.mark.parametrize('kind', FORMATS)
def test_a_cut_header_has_no_size_or_the_right_one(kind):
    content = encode(kind)
    for length in range(len(content)):
        assert header_size(content[:length]) in (None, (20, 16))


def chunk(name, data):
    return (
        struct.pack('>I', len(data))
        + name
        + data
        + struct.pack('>I', zlib.crc32(name + data))
    )


def png(size, pixels, depth=8):
    head = struct.pack('>IIBBBBB', *size, depth, 0, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', head)
        + chunk(b'IDAT', zlib.compress(pixels, 9))
        + chunk(b'IEND', b'')
    )


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def test_claims_are_refused_before_room_is_made():
    before = peak()
    wide = struct.pack('<i', 6_000_000)
    contents = [
        png((12_000, 12_000), bytes(100)),
        encode('JPEG').replace(bytes.fromhex('00100014'), bytes.fromhex('28002800')),
        encode('BMP').replace(b'\x14\0\0\0\x10', wide + b'\x10'),
        encode('GIF').replace(b'\x14\0\x10\0', b'\0\x28\0\x28'),
    ]
    for content in contents:
        with pytest.raises(CorruptImageError, match='picture claims .* pixels in'):
            decode_image(content, 'picture')
    assert peak() - before < 100


def test_a_chunk_that_claims_gigabytes():
    content = png((20, 16), bytes(340))
    place = content.index(b'IDAT') - 4
    damaged = content[:place] + struct.pack('>I', 2_000_000_000) + content[place + 4 :]
    before = peak()
    # Its pixels are there, and the end of them.
    np.testing.assert_array_equal(decode_image(damaged), np.zeros((16, 20, 3)))
    with pytest.raises(CorruptImageError):
        decode_image(damaged.replace(b'IDAT', b'IDAX'), 'picture')
    assert peak() - before < 100


def test_a_png_without_pixels_and_with_data_behind_its_end():
    whole = png((20, 16), bytes(340))
    behind = bytes.fromhex('8657ea29') * 20
    # OpenCV went on behind the end, and took what stands there for a length.
    nameless = whole.replace(b'IDAT', b'I\xa0\x03\x80') + behind + whole[-12:]
    before = peak()
    with pytest.raises(CorruptImageError):
        decode_image(nameless, 'picture')
    np.testing.assert_array_equal(
        decode_image(whole + behind + whole[-12:]), np.zeros((16, 20, 3))
    )
    assert peak() - before < 100


def test_the_most_that_a_file_can_hold_is_read():
    # One bit a pixel, all alike: zlib packs them a thousand to one.
    rows = bytes(6000 * (1 + 1000))
    found = decode_image(png((8000, 6000), rows, depth=1), 'picture')
    assert found.shape == (6000, 8000, 3)
    assert not found.any()
    assert can_hold(bytes(10), (5792, 5792)) and not can_hold(bytes(10), (5792, 5794))


@pytest.mark.parametrize('mode', ['RGB', 'L', 'I;16'])
def test_jpeg_2000_is_as_before(mode):
    pixels = np.arange(16 * 20 * 3).reshape(16, 20, 3) % 256
    kinds = {'RGB': np.uint8, 'L': np.uint8, 'I;16': np.uint16}
    pixels = (pixels if mode == 'RGB' else pixels[..., 0]).astype(kinds[mode])
    buffer = io.BytesIO()
    Image.fromarray(pixels * (257 if mode == 'I;16' else 1)).save(buffer, 'JPEG2000')
    expected = pixels[..., ::-1] if mode == 'RGB' else cv2.merge([pixels] * 3)
    np.testing.assert_array_equal(decode_image(buffer.getvalue()), expected)
