"""Tiles, captions and grids of pictures. All pictures are RGB, uint8."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

PAPER = (255, 255, 255)
INK = (40, 44, 52)
GAP = 6
TEXT_SIZE = 14


def enlarged(image: np.ndarray, side: int, smooth: bool = True) -> np.ndarray:
    """Enlarge or shrink a picture so that its longer side has ``side`` pixels.

    Args:
        image: shape (H, W, C) or (H, W).
        side: length of the longer side of the result, in pixels.
        smooth: whether to interpolate; False shows the pixels as squares.

    Returns:
        The picture at its new size, same dtype.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if scale < 1:
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    kind = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    return cv2.resize(image, size, interpolation=kind)


def size_of(image: np.ndarray) -> tuple[int, int]:
    """Width and height of a picture."""
    height, width = image.shape[:2]
    return width, height


def rescaled(
    points: np.ndarray, from_size: tuple[int, int], to_size: tuple[int, int]
) -> np.ndarray:
    """Move points along with a resized picture.

    Args:
        points: (x, y) in pixels with centres at integers, shape (..., 2).
        from_size: (W, H) that the points are in.
        to_size: (W, H) of the resized picture.

    Returns:
        The points in the resized picture, same shape.
    """
    scale = np.asarray(to_size, float) / np.asarray(from_size, float)
    return (np.asarray(points, float) + 0.5) * scale - 0.5


def put_text(
    image: np.ndarray,
    text: str,
    position: tuple[float, float],
    color: Sequence[int] = INK,
    size: int = TEXT_SIZE,
    anchor: str = 'lt',
) -> np.ndarray:
    """Write a line of text.

    Args:
        image: shape (H, W, 3), uint8; not changed.
        text: what to write.
        position: (x, y) of the anchor in pixels.
        color: RGB.
        size: of the letters, in pixels.
        anchor: which point of the text lies there, in Pillow's two letters, e.g.
            'lt' for the left top and 'mm' for the middle.

    Returns:
        A picture of the same shape.
    """
    canvas = Image.fromarray(image)
    font = _font(text.isascii(), size)
    drawing = ImageDraw.Draw(canvas)
    drawing.text(position, text, fill=tuple(color), font=font, anchor=anchor)
    return np.asarray(canvas)


def text_width(text: str, size: int = TEXT_SIZE) -> int:
    """Width of a line of text in pixels."""
    return int(np.ceil(_font(text.isascii(), size).getlength(text)))


@functools.lru_cache(maxsize=32)
def _font(is_english: bool, size: int) -> Any:
    """Pillow's own font, which has English letters alone; else that of matplotlib."""
    if is_english:
        return ImageFont.load_default(size)
    from matplotlib import get_data_path  # a fifth of a second

    return ImageFont.truetype(f'{get_data_path()}/fonts/ttf/DejaVuSans.ttf', size)


def blank(height: int, width: int) -> np.ndarray:
    """An empty picture (H, W, 3)."""
    return np.full((height, width, 3), PAPER, np.uint8)


def caption(text: str, width: int, size: int = TEXT_SIZE) -> np.ndarray:
    """A line of text, centred; written smaller where it would not fit.

    Args:
        text: what to write.
        width: of the result in pixels.
        size: of the letters in pixels, at most.

    Returns:
        Picture, shape (H, width, 3).
    """
    while size > 8 and text_width(text, size) > width:
        size -= 1
    band = blank(size + 10, width)
    return put_text(band, text, (width / 2, len(band) / 2), size=size, anchor='mm')


def stack(pictures: Sequence[np.ndarray], gap: int = GAP) -> np.ndarray:
    """Put pictures below each other, left-aligned on white.

    Args:
        pictures: each of shape (h, w, 3).
        gap: between them, in pixels.

    Returns:
        Picture as wide as the widest of them.
    """
    width = max(picture.shape[1] for picture in pictures)
    rows = []
    for picture in pictures:
        row = blank(len(picture) + gap, width)
        row[: len(picture), : picture.shape[1]] = picture
        rows.append(row)
    return np.concatenate(rows)[: -gap or None]


def beside(pictures: Sequence[np.ndarray], gap: int = GAP) -> np.ndarray:
    """Put pictures side by side, top-aligned on white; see :func:`stack`."""
    turned = [picture.transpose(1, 0, 2) for picture in pictures]
    return np.ascontiguousarray(stack(turned, gap).transpose(1, 0, 2))


def grid(columns: Mapping[str, Sequence[np.ndarray]]) -> np.ndarray:
    """Arrange tiles in titled columns.

    Args:
        columns: title -> tiles from top to bottom, each of shape (h, w, 3).

    Returns:
        One picture.
    """
    drawn = []
    for title, tiles in columns.items():
        width = max(tile.shape[1] for tile in tiles)
        drawn.append(stack([caption(title, width), *tiles]))
    return framed(beside(drawn))


def framed(image: np.ndarray, margin: int = GAP) -> np.ndarray:
    """Add a white margin of so many pixels."""
    pads = ((margin, margin), (margin, margin), (0, 0))
    return np.pad(image, pads, constant_values=PAPER[0])


def tiled(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Arrange tiles in rows of so many, with a white margin."""
    starts = range(0, len(tiles), columns)
    return framed(stack([beside(tiles[start : start + columns]) for start in starts]))


def titled(picture: np.ndarray, title: str) -> np.ndarray:
    """Put a line of text above a picture, if there is any."""
    if not title:
        return picture
    line = blank(TEXT_SIZE + 12, picture.shape[1])
    return stack([put_text(line, title, (8, len(line) / 2), anchor='lm'), picture], 0)


def amid_white(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Put a picture in the middle of a larger white one.

    Args:
        image: (h, w, 3) uint8.
        width: of the larger one, from w on.
        height: of the larger one, from h on.

    Returns:
        (height, width, 3) uint8.
    """
    larger = np.full((height, width, 3), 255, np.uint8)
    top, left = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
    larger[top : top + image.shape[0], left : left + image.shape[1]] = image
    return larger
