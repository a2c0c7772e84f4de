# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Decode image files to 8-bit BGR, and notice those that are damaged."""

import io

import cv2
import numpy as np
from PIL import Image

JPEG_START, JPEG_END = b'\xff\xd8', b'\xff\xd9'
PNG_START, PNG_END = b'\x89PNG\r\n\x1a\n', b'IEND\xaeB`\x82'


class CorruptImageError(ValueError):
    """An image file that cannot be decoded, or of which a part is missing."""


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
    except (OSError, SyntaxError):
        return False
    return True


def decode_image(content: bytes, path: str = 'image') -> np.ndarray:
    """Decode an image file to three 8-bit channels.

    * The EXIF orientation is applied, so the frame is that of the picture as viewers
      show it.
    * Grey images are repeated over three channels; an alpha channel is dropped and
      the stored colours are kept.
    * 16-bit images are scaled from 0-65535 to 0-255 and rounded.

    Args:
        content: The whole file.
        path: Its name, for error messages.

    Returns:
        BGR image (H, W, 3), uint8.

    Raises:
        CorruptImageError: If the file is no image, is truncated, or holds values
            other than 8- or 16-bit whole numbers.
    """
    if not content:
        raise CorruptImageError(f'{path} is empty (0 bytes)')
    if not is_complete(content):
        raise CorruptImageError(
            f'{path} is a truncated image: its data end after {len(content)} bytes'
        )
    # OpenCV applies the EXIF orientation unless told otherwise; ANYDEPTH keeps all
    # 16 bits for the scaling below.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise CorruptImageError(f'{path} cannot be decoded: {error}') from error
    if image is None:
        raise CorruptImageError(
            f'{path} is not an image that can be decoded (its first bytes are '
            f'{content[:8]!r})'
        )
    if image.dtype == np.uint16:
        image = np.rint(image / 257.0).astype(np.uint8)
    if image.dtype != np.uint8:
        raise CorruptImageError(
            f'{path} holds {image.dtype} values; convert it to 8 or 16 bits'
        )
    return image
