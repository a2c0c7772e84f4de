# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Numbers for text files that are read back as they were."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def plain_text(value: Any, path: str | Path) -> str:
    """Return a name that a file holds as text.

    Args:
        value: Text or a number. Lists are refused before they are written out: with
            references to each other, short ones become longer than any memory.
        path: The file, for the message.

    Raises:
        ValueError: If it is anything else.
    """
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f'{path}: a {type(value).__name__} is where a name is expected')


def plain(value: float) -> float | int | None:
    """Return a number as json files have it: whole ones without a point, NaN as None.

    Args:
        value: Number.
    """
    value = float(value)
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def side(start: float, end: float) -> float:
    """Return the shortest number that, added to a start, gives the end.

    ``start + (end - start)`` may miss the end by a rounding.

    Args:
        start: Edge of a box.
        end: The opposite edge.
    """
    difference = float(end) - float(start)
    for digits in range(1, 18):
        short = float(f'{difference:.{digits}g}')
        if start + short == end:
            return short
    return difference


def inverse(value: float, guess: float, read: Callable[[float], float]) -> float:
    """Return the number that is read back as a value, or nearly so.

    Args:
        value: That is to be read back.
        guess: What is written, but for roundings.
        read: Turns what is written into the value.
    """
    candidates = [guess]
    for direction in (-np.inf, np.inf):
        near = guess
        for _ in range(2):
            near = float(np.nextafter(near, direction))
            candidates.append(near)
    return min(candidates, key=lambda number: abs(read(number) - value))


def box_sides(box: Any) -> list[float | int | None]:
    """Return ``x, y, width, height`` of a box of two corners.

    Args:
        box: ``x1, y1, x2, y2``.
    """
    x1, y1, x2, y2 = (float(value) for value in box)
    return [plain(value) for value in (x1, y1, side(x1, x2), side(y1, y2))]


def box_corners(sides: Any) -> list[float]:
    """Return ``x1, y1, x2, y2`` of a box.

    Args:
        sides: ``x, y, width, height``.
    """
    x, y, width, height = (float(value) for value in sides)
    return [x, y, x + width, y + height]


def write_json(content: Any, path: Path) -> None:
    """Write a json file of UTF-8.

    Args:
        content: Plain data without NaN.
        path: File.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    path.write_text(text + '\n', encoding='utf-8')
