# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read json files as people have them, with errors that name file, line and column."""

import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

from .existing_file import existing_file

# What may be beyond the largest floating-point number.
_DIGITS = 300
_HUGE = re.compile(r'\d{300}|[eE]\+?\d{3}')
# A whole string, so that its content is skipped, or one of the constants.
_STRING_OR_CONSTANT = re.compile(r'"(?:\\.|[^"\\])*"|(-?Infinity|NaN)')


def read_json(path: str | Path, top: type | None = None, nan: bool = False) -> Any:
    """Read a json file of UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Args:
        path: File to read.
        top: What the file holds at its top, ``dict`` or ``list``; ``None``: either.
        nan: Whether the numbers NaN and Infinity, which json does not have but Python
            writes, are let through.

    Returns:
        The content of the file.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it cannot be read, holds NaN or Infinity, names a key twice in
            one object, or has something else at its top.
    """
    path = Path(path)
    text = _text(path)
    try:
        content = _parse(text, nan)
    except json.JSONDecodeError as error:
        _refuse_syntax(path, text, error)
    except _RefusedKey as refused:
        raise ValueError(
            f'{path} has the key "{refused}" twice in one object, so one of the two '
            'values would be lost; remove one'
        ) from None
    except _RefusedNumber as refused:
        name = str(refused)
        at = next(
            (m.start() for m in _STRING_OR_CONSTANT.finditer(text) if m[1] == name),
            text.find(name),
        )
        raise ValueError(
            f'{path}, {_place(text, at)}: {name:.20} is no number of json; write a '
            'finite number, or null where there is none'
        ) from None
    except RecursionError:
        raise ValueError(f'{path} is nested too deeply to be read as json') from None
    except ValueError as error:  # Python's limit of the digits of a whole number
        raise ValueError(f'{path} is no json file that can be read: {error}') from None
    if top is not None and not isinstance(content, top):
        kinds: dict[type, str] = {dict: 'an object {...}', list: 'a list [...]'}
        found = kinds.get(type(content), f'{content!r:.40}')
        raise ValueError(f'{path} holds {found} at its top, expected {kinds[top]}')
    return content


class _RefusedKey(Exception):
    """Leaves the json parser: a key that occurs twice."""


class _RefusedNumber(Exception):
    """Leaves the json parser: a number that json does not have."""


def _parse(text: str, nan: bool) -> Any:
    """Content of a text; numbers beyond all floating-point ones are as NaN is."""

    def unique(pairs: list[tuple[str, Any]]) -> dict:
        content = dict(pairs)
        if len(content) < len(pairs):
            keys = [key for key, _ in pairs]
            raise _RefusedKey(next(key for key in content if keys.count(key) > 1))
        return content

    def number(name: str) -> float:
        value = float(name.replace('Infinity', 'inf'))
        if not nan and not math.isfinite(value):
            raise _RefusedNumber(name)
        return value

    def whole(name: str) -> float:
        return int(name) if len(name) < _DIGITS else number(name)

    if nan or not _HUGE.search(text):  # as nearly always; Python's own are faster
        return json.loads(text, object_pairs_hook=unique, parse_constant=number)
    return json.loads(
        text,
        object_pairs_hook=unique,
        parse_constant=number,
        parse_float=number,
        parse_int=whole,
    )


def _text(path: Path) -> str:
    """Return the text of a json file."""
    content = existing_file(path, 'a json file').read_bytes()
    if not content.strip():
        raise ValueError(f'{path} is empty, expected json')
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding).removeprefix('\ufeff')
    except UnicodeDecodeError as error:
        line = content.count(b'\n', 0, error.start) + 1
        raise ValueError(
            f'{path}, line {line}: the bytes are no {encoding.upper()} text, so it is '
            'no json file, or one in another encoding; save it as UTF-8'
        ) from None


def _place(text: str, position: int) -> str:
    """Return where a position of a text lies, e.g. ``line 3, column 7``."""
    line = text.count('\n', 0, position) + 1
    return f'line {line}, column {position - text.rfind(chr(10), 0, position)}'


def _refuse_syntax(path: Path, text: str, error: json.JSONDecodeError) -> NoReturn:
    """Say where json ends to be json, and what was found there."""
    place = _place(text, error.pos)
    if error.pos >= len(text.rstrip()):
        raise ValueError(
            f'{path} ends at {place} in the middle of its content ({error.msg}); it is '
            'truncated: write or copy it again'
        ) from None
    if error.msg == 'Extra data':
        raise ValueError(
            f'{path}, {place}: a second value begins where the file should end; json '
            'lines and files joined together are not read'
        ) from None
    raise ValueError(
        f'{path}, {place}: no json: {error.msg}, found '
        f'{text[error.pos : error.pos + 20]!r}'
    ) from None
