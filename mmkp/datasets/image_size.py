# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tell the size of an image as the data sets decode it."""

from pathlib import Path

from PIL import Image

from .image_decoding import JPEG_START, CorruptImageError, decode_image

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
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'image {path} does not exist')
    if not path.is_file():
        raise CorruptImageError(f'{path} is a folder, expected an image')
    with path.open('rb') as file:
        if file.read(2) == JPEG_START:
            file.seek(0)
            try:
                with Image.open(file) as image:
                    if image.getexif().get(ORIENTATION, 1) < 5:
                        return image.size
            # What damaged metadata raise depends on where they are damaged; the
            # decoder of the data sets decides.
            except Exception:
                pass
        file.seek(0)
        height, width = decode_image(file.read(), str(path)).shape[:2]
    return width, height
