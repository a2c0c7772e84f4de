# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read text files in the encodings that people have them in."""

import codecs
import re
import warnings
from pathlib import Path

from .existing_file import existing_file

# What begins files that are taken for tables of text, and what to do with them.
_OTHERS = {
    b'PK\x03\x04': 'an Excel or zip file; save it as "CSV UTF-8"',
    b'\xd0\xcf\x11\xe0': 'an old Excel file; save it as "CSV UTF-8"',
    b'\x89HDF': 'an HDF5 file, which can hold pickled code and is not read; give the '
    'csv file that DeepLabCut and SLEAP write too',
    b'\x1f\x8b': 'a packed file; unpack it first',
}
_MARKS = {  # those of UTF-32 begin like those of UTF-16
    codecs.BOM_UTF8: 'utf-8',
    codecs.BOM_UTF32_LE: 'utf-32-le',
    codecs.BOM_UTF32_BE: 'utf-32-be',
    codecs.BOM_UTF16_LE: 'utf-16-le',
    codecs.BOM_UTF16_BE: 'utf-16-be',
}
_CONTROL = re.compile('[\x00-\x08\x0e-\x19\x1b-\x1f]')


def read_text(path: str | Path) -> str:
    """Read a text file of UTF-8, UTF-16 or UTF-32, or of Windows-1252 with a warning.

    Args:
        path: File to read.

    Returns:
        Its text without the byte order mark; ends of lines are kept.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is a folder, empty, or no text.
    """
    path = existing_file(path, 'a text file')
    content = path.read_bytes()
    for start, kind in _OTHERS.items():
        if content.startswith(start):
            raise ValueError(f'{path} is {kind}')
    text = _decode(content, path)
    if not text.strip():
        raise ValueError(f'{path} is empty')
    control = _CONTROL.search(text)
    if control:
        line = text.count('\n', 0, control.start()) + 1
        raise ValueError(
            f'{path} is no text: line {line} holds the character {control[0]!r}'
        )
    return text


def read_names(path: str | Path) -> list[str]:
    """Read one name a line; blanks around it and empty lines do not count.

    Args:
        path: Text file.

    Returns:
        The names in their order.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_text`.
    """
    lines = (line.strip() for line in read_text(path).splitlines())
    return [line for line in lines if line]


def _decode(content: bytes, path: Path) -> str:
    """Turn bytes into text and warn where the encoding is guessed."""
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b'')
    encoding = _MARKS[mark] if mark else _without_mark(content)
    try:
        return content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b'\n', 0, error.start) + 1
        place = f'{path}, line {line}'
        if encoding != 'utf-8' or mark:
            raise ValueError(
                f'{place}: the bytes are no {encoding.upper()} text; it is truncated '
                'or damaged'
            ) from None
    try:
        text = content.decode('cp1252')
    except UnicodeDecodeError:
        raise ValueError(
            f'{place}: the bytes are neither UTF-8 nor Windows-1252 text; save it as '
            'UTF-8'
        ) from None
    word = next((w for w in text.split() if not w.isascii()), '')
    warnings.warn(
        f'{place}: the file is not UTF-8 and was read as Windows-1252; look whether '
        f'{word[:40]!r} is right, or save it as UTF-8',
        stacklevel=3,
    )
    return text


def _without_mark(content: bytes) -> str:
    """Tell UTF-16 without a byte order mark, whose every other byte is mostly zero."""
    half = len(content[:2000]) // 2
    for encoding, start in (('utf-16-le', 1), ('utf-16-be', 0)):
        if half and content[start:2000:2].count(0) > 0.7 * half:
            return encoding
    return 'utf-8'
