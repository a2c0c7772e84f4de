# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The elements of a MATLAB file of version 5 to 7, checked before SciPy reads them.

SciPy believes the types and sizes of a file and reads beyond its tables and buffers
where it is damaged. The format: MathWorks, "MAT-File Format", level 5.
"""

import math
import struct
import zlib
from collections.abc import Iterator

_HEADER = 128
#: The version and the order of bytes, as the header ends.
_ORDERS = {b'\0\1IM': '<', b'\1\0MI': '>'}
_MATRIX, _COMPRESSED = 14, 15
#: Bytes of a number by its type; texts may be UTF-8, UTF-16 or UTF-32 as well.
_NUMBERS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_TEXTS = {**_NUMBERS, 16: 1, 17: 2, 18: 4}
_CELL, _STRUCT, _TEXT = 1, 2, 4
_NUMERIC = range(6, 16)
_COMPLEX = 0x0800
#: Arrays in arrays, and what a packed variable may unpack to.
_MAX_DEPTH, _MAX_RATIO, _MAX_UNPACKED = 16, 100, 1 << 26

Element = tuple[int, memoryview]


class MatlabError(ValueError):
    """What is wrong in a file."""


class _UnreadError(MatlabError):
    """A variable of a kind that no data set has."""


def unpacked(content: bytes) -> bytes:
    """Check the variables of a file, and unpack those that are packed.

    Args:
        content: of a file of version 5 to 7.

    Returns:
        The same variables, none of them packed. Those of other kinds than numbers,
        text, cells and structs are left out.

    Raises:
        MatlabError: an element reaches beyond its file or array, is of an unknown type,
            or has another number of parts than its array claims; a variable unpacks to
            more than 64 MiB and a hundred times its size.
    """
    if content[124:128] not in _ORDERS:
        raise MatlabError(f'its header ends with {content[124:128]!r}')
    order = _ORDERS[content[124:128]]
    parts = [content[:_HEADER]]
    for kind, data in _elements(memoryview(content)[_HEADER:], order):
        if kind == _COMPRESSED:
            packed = memoryview(_inflated(data))
            ((kind, data),) = list(_elements(packed, order)) or [(0, packed)]
        if kind != _MATRIX:
            raise MatlabError(f'a variable of the unknown type {kind}')
        try:
            _check_array(data, order, 0)
        except _UnreadError:
            continue
        parts += [struct.pack(f'{order}II', _MATRIX, len(data)), bytes(data)]
    return b''.join(parts)


def _inflated(data: memoryview) -> bytes:
    """Unpack a variable, up to a bound."""
    limit = max(_MAX_UNPACKED, _MAX_RATIO * len(data))
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, limit)
    except zlib.error as error:
        raise MatlabError(f'a packed variable is damaged ({error})') from error
    if not unpacker.eof:
        raise MatlabError(
            f'a packed variable is cut off, or unpacks to more than {limit} bytes'
        )
    return content


def _elements(buffer: memoryview, order: str) -> Iterator[Element]:
    """Type and bytes of each element, which fill the buffer."""
    place = 0
    while place < len(buffer):
        if len(buffer) - place < 8:
            raise MatlabError('the bytes end within an element')
        kind, size = struct.unpack_from(f'{order}II', buffer, place)
        if kind >> 16:  # a small one, whose bytes are in the place of its size
            kind, size, start, step = kind & 0xFFFF, kind >> 16, place + 4, 8
            if size > 4:
                raise MatlabError(f'a small element of {size} bytes')
        else:
            start = place + 8
            step = 8 + (size if kind == _COMPRESSED else -(-size // 8) * 8)
        if size > len(buffer) - start:
            raise MatlabError(
                f'an element claims {size} bytes where {len(buffer) - start} are left'
            )
        yield kind, buffer[start : start + size]
        place += step


def _check_array(data: memoryview, order: str, depth: int) -> None:
    """Check flags, sizes, name and content of an array."""
    if not data:
        return  # how an empty array is written within others
    if depth > _MAX_DEPTH:
        raise MatlabError(f'more than {_MAX_DEPTH} arrays in each other')
    parts = list(_elements(data, order))
    kinds = [kind for kind, _ in parts[:3]]
    if kinds[:1] != [6] or len(parts[0][1]) != 8:
        raise MatlabError('an array without flags')
    (flags,) = struct.unpack_from(f'{order}I', parts[0][1])
    if flags & 0xFF not in (_CELL, _STRUCT, _TEXT, *_NUMERIC):
        raise _UnreadError(f'an array of the class {flags & 0xFF}')
    if kinds[1:] not in ([5, 1], [5, 16], [6, 1]):
        raise MatlabError('an array without sizes and name')
    sides = struct.unpack(f'{order}{len(parts[1][1]) // 4}i', parts[1][1])
    if not 1 < len(sides) <= 32 or min(sides) < 0:
        raise MatlabError(f'an array of the sizes {sides[:32]}')
    number, kind, content = math.prod(sides), flags & 0xFF, parts[3:]
    if kind in _NUMERIC:
        _check_numbers(content, number, 2 if flags & _COMPLEX else 1)
    elif kind == _TEXT:
        if len(content) != 1 or content[0][0] not in _TEXTS or number > len(data):
            raise MatlabError('a text without characters')
    else:
        if kind == _STRUCT:
            number *= _number_of_fields(content, order)
            content = content[2:]
        if len(content) != number or any(k != _MATRIX for k, _ in content):
            raise MatlabError(f'{len(content)} arrays where {number} should be')
        for _, inner in content:
            _check_array(inner, order, depth + 1)


def _check_numbers(content: list[Element], number: int, copies: int) -> None:
    """Check that there are as many numbers as an array has, for real and imaginary."""
    sizes = [(len(data), _NUMBERS.get(kind, 0) * number) for kind, data in content]
    known = all(kind in _NUMBERS for kind, _ in content)
    if len(content) != copies or not known or any(a != b for a, b in sizes):
        raise MatlabError(f'an array of {number} numbers has {sizes[:2]} bytes')


def _number_of_fields(content: list[Element], order: str) -> int:
    """How many fields a struct names."""
    kinds = [kind for kind, _ in content[:2]]
    if kinds != [5, 1] or len(content[0][1]) != 4:
        raise MatlabError('a struct without names of fields')
    (length,) = struct.unpack(f'{order}i', content[0][1])
    names = len(content[1][1])
    if length <= 0 or names % length:
        raise MatlabError(f'{names} bytes of names of {length} each')
    return names // length
