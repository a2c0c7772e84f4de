# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tell the size of an image as the data sets decode it."""

import contextlib
from pathlib import Path

from PIL import Image

from .image_decoding import read_image

ORIENTATION = 0x0112  # of EXIF; from 5 on the picture lies on its side


def image_size(path: str | Path) -> tuple[int, int]:
    """Return width and height after the EXIF orientation, as viewers show the image.

    Args:
        path: Image file. Of a JPEG that stands upright only the header is read.

    Returns:
        Width and height in pixels.

    Raises:
        FileNotFoundError: If the file does not exist.
        CorruptImageError: If it is no image that can be decoded.
    """
    if Path(path).is_file():
        # What damaged metadata raise depends on where they are damaged; the decoder of
        # the data sets decides.
        with (
            contextlib.suppress(Exception),
            Image.open(path, formats=['JPEG']) as image,
        ):
            if image.getexif().get(ORIENTATION, 1) < 5:
                return image.size
    height, width = read_image(path).shape[:2]
    return width, height
