# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Arguments of codecs, networks and losses, checked."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

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
    if not isinstance(stride, int) or stride < 1:
        raise ValueError(f'stride must be a whole number of pixels, got {stride!r}')
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
        ValueError: no two positive whole numbers.
    """
    pair = tuple(size) if isinstance(size, Sequence) else ()
    if len(pair) != 2 or not all(isinstance(n, int) and n > 0 for n in pair):
        raise ValueError(
            f'{name} must be (width, height), two positive whole numbers, got {size!r}'
        )
    return pair[0], pair[1]


def positive(name: str, value: float) -> float:
    """Return a number of pixels that is positive.

    Args:
        name: of the argument, for the message.
        value: of the argument.

    Returns:
        The value.

    Raises:
        ValueError: if it is not positive.
    """
    if not value > 0:
        raise ValueError(f'{name} must be a positive number of pixels, got {value!r}')
    return value


def check_shape(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of a shape.

    Args:
        name: of the argument, for the message.
        values: of the argument.
        shape: that it must have.

    Returns:
        The values as an array.

    Raises:
        ValueError: another shape.
    """
    array = np.asarray(values)
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
