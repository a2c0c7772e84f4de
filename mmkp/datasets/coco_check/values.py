# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Numbers and ids as tools write them: as numbers, or as text."""

import math
from typing import Any

# Larger ones are no pixels, and are not exact in float32.
MAX_COORDINATE = 1e7


def as_number(value: Any) -> float | None:
    """Return a finite number, also of text.

    Args:
        value: Of a json file.

    Returns:
        The number, or None if it is none that is finite.
    """
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    try:
        if isinstance(value, bool | int | float) and math.isfinite(value):
            return value
    except OverflowError:  # a whole number of hundreds of digits
        pass
    return None


def as_id(value: Any) -> int | str | None:
    """Return an id by which entries refer to each other: 7, 7.0 and '7' are one.

    Args:
        value: Of a json file.

    Returns:
        A whole number, a text that is none, or None where there is no id.
    """
    if type(value) is int:
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            return int(text)
        except ValueError:
            return text or None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def shown(value: Any) -> str:
    """Return a value as an error shows it, shortened."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # of thousands of digits, or levels
        text = f'a {type(value).__name__}'
    return text if len(text) <= 60 else text[:57] + '...'
