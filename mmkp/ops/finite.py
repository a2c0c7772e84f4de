"""Numbers that JSON knows."""

import math
from typing import Any


def finite_or_none(value: Any) -> Any:
    """Replace NaN and infinities by None, as JSON has no such numbers.

    Args:
        value: numbers, arrays, tensors, and dicts, lists and tuples of such.

    Returns:
        The same with None in their place; arrays and tensors as lists.
    """
    if isinstance(value, dict):
        return {key: finite_or_none(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | range):
        return [finite_or_none(item) for item in value]
    if hasattr(value, 'tolist'):  # arrays, tensors and their numbers
        return finite_or_none(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
