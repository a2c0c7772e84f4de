# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Decode image files to 8-bit BGR, and notice those that are damaged."""

import io
import os
import warnings
from pathlib import Path
from typing import Any

import cv2
import mmengine.fileio as fileio
import numpy as np
from PIL import Image

from mmkp.datasets.image_arrays import array_as_image, eight_bit
from mmkp.datasets.image_formats import (
    pillow_formats,
    why_not_an_image,
    without_png_notes,
)
from mmkp.datasets.image_headers import can_hold, header_size, png_end

JPEG_START, JPEG_END = b'\xff\xd8', b'\xff\xd9'
PNG_START, PNG_END = b'\x89PNG\r\n\x1a\n', b'IEND\xaeB`\x82'
# A box of the format, or its bare code stream.
_JPEG2000 = (b'\0\0\0\x0cjP  ', b'\xff\x4f\xff\x51')
ORIENTATION = 0x0112


class CorruptImageError(ValueError):
    """An image file that cannot be decoded, or of which a part is missing."""


class MissingImageError(CorruptImageError, FileNotFoundError):
    """An image file that is not there, or no longer."""


def as_image(image: Any, name: str = 'the image') -> np.ndarray:
    """Turn whatever may stand for an image into one, or say why not.

    Args:
        image: path of a file, or what :func:`array_as_image` takes: arrays are BGR,
            tensors RGB, PIL images say their order.
        name: what to call an array in a message.

    Returns:
        Array (H, W, 3), uint8, BGR.

    Raises:
        CorruptImageError: a file cannot be read or decoded.
        ValueError: an array is no image.
    """
    if isinstance(image, str | os.PathLike):
        return read_image(image)
    return array_as_image(image, name)


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Decode an image file, see :func:`decode_image`.

    Args:
        path: file.

    Returns:
        BGR image (H, W, 3), uint8.

    Raises:
        MissingImageError: it does not exist.
        CorruptImageError: it cannot be read or decoded.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    return decode_image(content, str(path))


def fetch_image(path: str, backend_args: dict | None) -> np.ndarray:
    """Read an image through MMEngine's file layer.

    Args:
        path: local, or of a storage back end.
        backend_args: as in ``mmengine.fileio.get``.

    Returns:
        BGR, (H, W, 3) uint8.

    Raises:
        CorruptImageError: it cannot be read or decoded.
    """
    try:
        content = fileio.get(path, backend_args=backend_args)
    except OSError as error:
        raise unreadable(path, error) from error
    return decode_image(content, path)


def unreadable(path: str | os.PathLike[str], error: OSError) -> CorruptImageError:
    """The error that tells why a file cannot even be read.

    Args:
        path: of the image.
        error: what the attempt raised.

    Returns:
        A :class:`MissingImageError` or :class:`CorruptImageError` to raise.
    """
    if os.path.islink(path) and not os.path.exists(path):
        target = os.readlink(os.fspath(path))
        return MissingImageError(f'image {path} is a link to {target}, which is gone')
    if isinstance(error, FileNotFoundError):
        return MissingImageError(f'image {path} does not exist')
    if os.path.isdir(path):
        return CorruptImageError(f'image {path} is a folder')
    reason = error.strerror or type(error).__name__
    return CorruptImageError(f'image {path} cannot be read: {reason}')


def is_complete(content: bytes) -> bool:
    """Tell whether the bytes of a JPEG or PNG file reach its end.

    A decoder fills the missing part of a truncated JPEG with grey and says nothing,
    so a training would quietly learn from it. Looking at the last bytes is free;
    only a file that ends in an unusual way is decoded once more to be sure.

    Args:
        content: The whole file.

    Returns:
        ``False`` for a JPEG or PNG with missing data, ``True`` otherwise (files of
        other formats are not examined; their decoders refuse truncated files).
    """
    if content.startswith(JPEG_START):
        if content.rstrip(b'\0').endswith(JPEG_END):
            return True
    elif content.startswith(PNG_START):
        if content.endswith(PNG_END):
            return True
    else:
        return True
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
    except Exception:  # depends on where it is damaged
        return False
    return True


def decode_image(content: bytes, path: str = 'image') -> np.ndarray:
    """Decode an image file to three 8-bit channels.

    * The EXIF orientation is applied, so the frame is that of the picture as viewers
      show it.
    * Grey images are repeated over three channels; an alpha channel is dropped and
      the stored colours are kept.
    * 16-bit images are scaled from 0-65535 to 0-255 and rounded.
    * Of several frames or pages the first one is taken.

    OpenCV decodes; Pillow does what OpenCV cannot (GIF, AVIF, ...), and JPEG 2000, of
    which damaged files end OpenCV's process. Neither makes room for what a file claims
    and does not have.

    Args:
        content: The whole file.
        path: Its name, for error messages.

    Returns:
        BGR image (H, W, 3), uint8.

    Raises:
        CorruptImageError: If the file is no image, is truncated, has more pixels than
            Pillow's limit, or holds values other than 8- or 16-bit whole numbers.
    """
    if not content:
        raise CorruptImageError(f'{path} is empty (0 bytes)')
    by_pillow = _examine_header(content, path) or content.startswith(_JPEG2000)
    if not is_complete(content):
        raise CorruptImageError(
            f'{path} is a truncated image: its data end after {len(content)} bytes'
        )
    if content.startswith(PNG_START):
        end = png_end(content)
        by_pillow |= end is None
        content = without_png_notes(content[:end])
    # OpenCV applies the EXIF orientation unless told otherwise; ANYDEPTH keeps all
    # 16 bits for the scaling below.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    try:
        image = None
        if not by_pillow:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise CorruptImageError(f'{path} cannot be decoded: {error}') from error
    if image is None:
        return _decode_with_pillow(content, path)
    if image.dtype not in (np.uint8, np.uint16):
        raise CorruptImageError(
            f'{path} holds {image.dtype} values; convert it to 8 or 16 bits'
        )
    return eight_bit(image, path)


def _examine_header(content: bytes, path: str) -> bool:
    """Refuse a decompression bomb; whether there is a turn that OpenCV overlooks."""
    limit = 2 * Image.MAX_IMAGE_PIXELS if Image.MAX_IMAGE_PIXELS else 2**62
    size = header_size(content)
    if size is not None:
        if size[0] * size[1] > limit:
            raise CorruptImageError(
                f'{path} has {size[0]}x{size[1]} pixels, more than are decoded '
                f'({limit}): reduce it, or cut it into parts'
            )
        _check_claim(content, size, path)
    is_webp = content[8:16] == b'WEBPVP8X'
    has_exif = is_webp and content[20:21] and content[20] & 8
    if size is not None and not has_exif:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of half the limit
            with Image.open(io.BytesIO(content), formats=pillow_formats()) as image:
                _check_claim(content, image.size, path)
                if not has_exif:
                    return False
                return image.getexif().get(ORIENTATION, 1) not in (0, 1)
    except Image.DecompressionBombError:
        raise CorruptImageError(
            f'{path} has more pixels than are decoded ({limit}): reduce it, or cut it '
            'into parts'
        ) from None
    except CorruptImageError:
        raise
    except Exception:  # OpenCV may read it all the same
        return False


def _check_claim(content: bytes, size: tuple[int, int], path: str) -> None:
    """Refuse what claims more pixels than its bytes can hold, before room is made."""
    if not can_hold(content, size):
        raise CorruptImageError(
            f'{path} claims {size[0]}x{size[1]} pixels in {len(content)} bytes: it is '
            'damaged or made to fill the memory'
        )


def _decode_with_pillow(content: bytes, path: str) -> np.ndarray:
    """Decode what OpenCV does not know, turns wrongly, or dies of where damaged."""
    try:
        with Image.open(io.BytesIO(content), formats=pillow_formats()) as image:
            _check_claim(content, image.size, path)
            image.load()
            return array_as_image(image, path)
    except Image.UnidentifiedImageError:
        raise CorruptImageError(why_not_an_image(content, path)) from None
    except CorruptImageError:
        raise
    except Exception as error:  # depends on where it is damaged
        raise CorruptImageError(f'{path} cannot be decoded: {error}') from error
