"""Formats of picture files: which are read, turned as they say, or told about."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from mmkp.datasets.image_decoding import CorruptImageError, decode_image, read_image
from mmkp.datasets.image_files import find_images
from mmkp.datasets.image_formats import pillow_formats, without_png_notes

RNG = np.random.default_rng(0)
PICTURE = cv2.resize(
    RNG.integers(0, 255, (4, 6, 3), dtype=np.uint8), (48, 32), None, 0, 0, 0
)


def encoded(kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(PICTURE[..., ::-1]).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize('kind', ['gif', 'avif', 'tga', 'pcx', 'jpeg2000', 'webp'])
def test_pillow_reads_what_opencv_cannot(kind):
    if kind.upper() not in pillow_formats():
        pytest.skip(f'this Pillow has no {kind}')
    found = decode_image(encoded(kind))
    assert found.shape == PICTURE.shape and found.dtype == np.uint8
    assert np.abs(found.astype(int) - PICTURE).mean() < 12


@pytest.mark.parametrize('kind', ['jpeg', 'png', 'webp', 'tiff'])
@pytest.mark.parametrize('orientation', [2, 3, 5, 6, 8])
def test_exif_turn_in_every_format(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode_image(encoded(kind, exif=exif))
    turns = {
        2: PICTURE[:, ::-1],
        3: PICTURE[::-1, ::-1],
        5: PICTURE.transpose(1, 0, 2),
        6: np.rot90(PICTURE, -1),
        8: np.rot90(PICTURE),
    }
    expected = turns[orientation]
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).mean() < 12


def test_first_frame_of_a_moving_picture():
    frames = [Image.fromarray(np.full((8, 8, 3), v, np.uint8)) for v in (250, 10)]
    buffer = io.BytesIO()
    frames[0].save(buffer, 'gif', save_all=True, append_images=frames[1:])
    assert decode_image(buffer.getvalue()).min() == 250


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'\0\0\0\x18ftypheic' + b'\0' * 40, 'HEIF .*pip install pillow-heif'),
        (b'\xff\x0a' + b'\0' * 40, 'JPEG XL .*pip install pillow-jxl-plugin'),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'not an image that can be'),
        (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n', 'not an image'),
    ],
)
def test_formats_that_are_not_read_are_named(content, message):
    with pytest.raises(CorruptImageError, match=message):
        decode_image(content, 'a.x')


def chunk(name, data):
    checksum = zlib.crc32(name + data)
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', checksum)


def png_bomb(side):
    header = struct.pack('>IIBBBBB', side, side, 8, 0, 0, 0, 0)
    parts = [b'\x89PNG\r\n\x1a\n', chunk(b'IHDR', header), chunk(b'IDAT', b'')]
    return b''.join([*parts, chunk(b'IEND', b'')])


def test_decompression_bombs_are_refused_by_their_headers():
    with pytest.raises(CorruptImageError, match='a.png has 30000x30000 pixels, more'):
        decode_image(png_bomb(30000), 'a.png')
    # A TIFF header of 30000x30000 pixels in one strip of which there is nothing.
    tags = [(256, 4, 30000), (257, 4, 30000), (258, 3, 8), (259, 3, 8), (262, 3, 1)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 4, 30000), (279, 4, 0)]
    entries = b''.join(struct.pack('<HHII', tag, kind, 1, v) for tag, kind, v in tags)
    content = b'II*\0\x08\0\0\0' + struct.pack('<H', len(tags)) + entries + b'\0' * 4
    with pytest.raises(CorruptImageError, match='a.tif has 30000x30000 pixels'):
        decode_image(content, 'a.tif')


def test_remarks_of_png_writers_do_not_reach_the_terminal(capfd):
    content = encoded('png')
    profile = chunk(b'iCCP', b'x\0\0' + zlib.compress(b'no profile at all'))
    noted = content[:33] + profile + chunk(b'tEXt', b'a\0b') + content[33:]
    assert cv2.imdecode(np.frombuffer(noted, np.uint8), 1) is not None
    assert 'iCCP' in capfd.readouterr().err  # what OpenCV's libpng says of it
    np.testing.assert_array_equal(decode_image(noted), PICTURE)
    assert capfd.readouterr().err == ''
    assert without_png_notes(noted) == content
    assert without_png_notes(content) is content


def test_what_a_folder_leaves_out_is_told_once(tmp_path, logged):
    for name in (
        'a.jpg',
        'b.heic',
        'c.svg',
        'd.CR2',
        'film.MOV',
        'notes.txt',
        '.e.nef',
    ):
        (tmp_path / name).write_bytes(b'x')
    (tmp_path / 'f.gif').write_bytes(encoded('gif'))
    for _ in range(2):
        assert find_images(str(tmp_path)) == ['a.jpg', 'f.gif']
    assert [level for level, _ in logged] == [30, 30]
    assert '3 pictures of formats that are not read here are left out' in logged[0][1]
    assert 'the first is b.heic' in logged[0][1]
    assert '1 films' in logged[1][1] and 'film.MOV' in logged[1][1]
    assert read_image(tmp_path / 'f.gif').shape == PICTURE.shape
