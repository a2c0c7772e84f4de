"""What a hostile pickle has made, as an error shows it."""

import reprlib
from typing import Any

import numpy as np
import torch

#: Lists that contain one list many times have texts that fill any memory.
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxother, _REPR.maxstring = 3, 60, 60


def shown(value: Any) -> str:
    """Return the text of a value, at most 80 characters, made in bounded time.

    Args:
        value: anything that a pickle has made.

    Returns:
        Its text, shortened; of tensors and arrays their shape.
    """
    if isinstance(value, torch.Tensor | np.ndarray):
        return f'{type(value).__name__} of shape {tuple(value.shape)}'
    try:
        return f'{_REPR.repr(value):.80}'
    except (ValueError, RecursionError):  # numbers of thousands of digits
        return type(value).__name__
