# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Arguments of codecs, networks and losses, checked."""

from collections.abc import Sequence
from typing import Any, TypeGuard, TypeVar

import numpy as np

#: Larger lengths are no pixels of any picture.
MAX_PIXELS = 1e6
#: A network's input of 8192 x 8192; larger maps would fill the memory.
MAX_AREA = 1 << 26

Choice = TypeVar('Choice')


def check_input_size(size: Sequence[int], stride: Any) -> tuple[int, int]:
    """Return a size of the network input that is made of whole cells.

    Args:
        size: width and height in pixels.
        stride: pixels a cell.

    Returns:
        Width and height.

    Raises:
        ValueError: no positive whole numbers, or no multiples of the stride.
    """
    if type(stride) is not int or stride < 1:
        raise ValueError(f'stride must be a whole number of pixels, got {stride!r:.80}')
    pair = check_size('input_size', size)
    if pair[0] % stride or pair[1] % stride:
        raise ValueError(
            f'input_size {pair} must be a multiple of the stride, {stride} pixels'
        )
    return pair


def check_size(name: str, size: Sequence[int]) -> tuple[int, int]:
    """Return a width and a height.

    Args:
        name: of the argument, for the message.
        size: width and height in pixels or cells.

    Returns:
        Width and height.

    Raises:
        ValueError: no two positive whole numbers, or an area beyond
            :data:`MAX_AREA`.
    """
    pair = tuple(size) if isinstance(size, Sequence) else ()
    if len(pair) != 2 or not all(type(n) is int and n > 0 for n in pair):
        raise ValueError(
            f'{name} must be (width, height), two positive whole numbers, got '
            f'{size!r:.80}'
        )
    if pair[0] * pair[1] > MAX_AREA:
        raise ValueError(f'{name} {pair} has more than {MAX_AREA} pixels or cells')
    return pair[0], pair[1]


def positive(name: str, value: float) -> float:
    """Return a number of pixels that is positive.

    Args:
        name: of the argument, for the message.
        value: of the argument.

    Returns:
        The value.

    Raises:
        ValueError: if it is no number, not positive, or beyond :data:`MAX_PIXELS`.
    """
    if not is_real(value) or not 0 < value <= MAX_PIXELS:
        raise ValueError(
            f'{name} must be a positive number of pixels, at most {MAX_PIXELS:g}, got '
            f'{value!r:.80}'
        )
    return value


def is_real(value: Any) -> TypeGuard[float]:
    """Whether something is one real number, of Python or NumPy, and no bool."""
    kinds = (int, float, np.integer, np.floating)
    return isinstance(value, kinds) and not isinstance(value, bool)


def real_array(name: str, values: Any) -> np.ndarray:
    """Return an array of real numbers.

    Args:
        name: of the argument, for the message.
        values: of the argument.

    Returns:
        The values as an array of bools, whole or floating-point numbers.

    Raises:
        ValueError: something else than numbers, or rows of different lengths.
    """
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, OverflowError, RuntimeError):
        array = np.empty(0, object)
    if array.dtype.kind not in 'buif':
        raise ValueError(
            f'{name} must be an array of real numbers, got {type(values).__name__} of '
            f'{array.dtype}'
        )
    return array


def check_shape(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of a shape.

    Args:
        name: of the argument, for the message.
        values: of the argument.
        shape: that it must have.

    Returns:
        The values as an array.

    Raises:
        ValueError: another shape, or no real numbers.
    """
    array = real_array(name, values)
    if array.shape != shape:
        raise ValueError(f'{name} must have shape {shape}, got {array.shape}')
    return array


def check_visible(visible: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return which keypoints are labelled.

    Args:
        visible: numbers, positive where they are; NaN is not.
        shape: that it must have.

    Returns:
        Bool array of the shape.

    Raises:
        ValueError: another shape, or no numbers.
    """
    array = np.asarray(visible)
    if array.shape != shape or array.dtype.kind not in 'buif':
        raise ValueError(
            f'keypoints_visible must have shape {shape} and hold numbers, got '
            f'{array.dtype} of shape {array.shape}'
        )
    return array > 0


def one_of(name: str, value: Choice, choices: Sequence[Choice]) -> Choice:
    """Return one of the choices.

    Args:
        name: of the argument, for the message.
        value: of the argument.
        choices: what it may be.

    Returns:
        The value.

    Raises:
        ValueError: if it is none of them.
    """
    if value not in choices:
        raise ValueError(f'{name} must be one of {choices}, got {value!r}')
    return value
