# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The sizes that headers of image files claim, and what the files can hold."""

import struct

# Tags of width and height, and the types that their values may have.
_TIFF_SIDES = (256, 257)
_TIFF_KINDS = {3: 'H', 4: 'I'}
_TIFF_ORDERS = {b'II*\0': '<', b'MM\0*': '>'}
# Markers of JPEG that begin a frame, and those without a length.
_JPEG_FRAMES = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC)))
_JPEG_BARE = frozenset((0x01, *range(0xD0, 0xDA), 0xFF))
#: Pixels a byte: what deflate makes of one bit a pixel. Up to 5792 x 5792 any file may
#: claim, which fits into memory.
_MAX_PIXELS_A_BYTE, _ALWAYS_DECODED = 8 * 1032, 1 << 25


def can_hold(content: bytes, size: tuple[int, int]) -> bool:
    """Whether a file may have as many pixels as it claims.

    Args:
        content: the whole file.
        size: width and height that it claims.

    Returns:
        False where no packing could make so many pixels of so few bytes.
    """
    limit = max(_ALWAYS_DECODED, _MAX_PIXELS_A_BYTE * len(content))
    return size[0] * size[1] <= limit


def header_size(content: bytes) -> tuple[int, int] | None:
    """Width and height that the header of a PNG, TIFF, JPEG, BMP or WebP file claims.

    Args:
        content: the whole file.

    Returns:
        (W, H) in pixels as they are stored; None of other formats, and where they
        cannot be told.
    """
    try:
        if content.startswith(b'\x89PNG'):
            return struct.unpack_from('>II', content, 16)
        if content[:4] in _TIFF_ORDERS:
            return _tiff_size(content, _TIFF_ORDERS[content[:4]])
        if content.startswith(b'\xff\xd8'):
            return _jpeg_size(content)
        if content.startswith(b'BM'):
            width, height = struct.unpack_from('<ii', content, 18)
            return abs(width), abs(height)
        if content[8:12] == b'WEBP':
            return _webp_size(content)
    except (struct.error, KeyError):
        pass
    return None


def png_end(content: bytes) -> int | None:
    """Where the chunks of a PNG file end.

    OpenCV makes room for what a chunk claims, also for bytes behind a file's end that
    it takes for one.

    Args:
        content: of a PNG file, with or without other data behind it.

    Returns:
        Number of bytes up to its end; None where a chunk claims more than is there or
        has no name, or where the pixels or the end are missing.
    """
    place, has_pixels = 8, False
    while place + 12 <= len(content):
        (length,) = struct.unpack_from('>I', content, place)
        name = content[place + 4 : place + 8]
        place += 12 + length
        if name == b'IEND':
            return place if has_pixels and place <= len(content) else None
        if not name.isalpha():
            return None
        has_pixels |= name == b'IDAT'
    return None


def _tiff_size(content: bytes, order: str) -> tuple[int, int]:
    (start,) = struct.unpack_from(f'{order}I', content, 4)
    (number,) = struct.unpack_from(f'{order}H', content, start)
    sides: dict[int, int] = {}
    for index in range(number):
        place = start + 2 + 12 * index
        tag, kind = struct.unpack_from(f'{order}HH', content, place)
        if tag in _TIFF_SIDES and kind in _TIFF_KINDS:
            form = order + _TIFF_KINDS[kind]
            (sides[tag],) = struct.unpack_from(form, content, place + 8)
    return sides[_TIFF_SIDES[0]], sides[_TIFF_SIDES[1]]


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Size in the frame's header, which comes before the pixels."""
    place = 2
    while (place := content.find(b'\xff', place)) >= 0:
        (marker,) = struct.unpack_from('B', content, place + 1)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from('>HH', content, place + 5)
            return width, height
        if marker == 0xDA:
            return None
        place += 1 if marker in _JPEG_BARE else 2
        if marker not in _JPEG_BARE:
            place += max(struct.unpack_from('>H', content, place)[0], 2)
    return None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b'VP8X':
        width, height = content[24:27], content[27:30]
        return _little(width) + 1, _little(height) + 1
    if kind == b'VP8L':
        (bits,) = struct.unpack_from('<I', content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b'VP8 ':
        width, height = struct.unpack_from('<HH', content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _little(number: bytes) -> int:
    return int.from_bytes(number, 'little')
