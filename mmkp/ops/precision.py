# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Full precision where positions are made, and constants that no device waits for."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

Function = TypeVar('Function', bound=Callable[..., Any])


def full_precision(values: Tensor) -> Tensor:
    """Lift half precision to float32; float32 and float64 pass unchanged."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def in_full_precision(function: Function) -> Function:
    """Make a function compute in at least float32, under autocast and of half inputs.

    Autocast would round the inputs of a matrix product to three digits, and positions
    with them to whole pixels.

    Args:
        function: takes at least one tensor.

    Returns:
        The function, called outside autocast with half-precision tensors lifted to
        float32, those in lists and tuples too.
    """

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        lifted = [_lifted(value) for value in args]
        named = {name: _lifted(value) for name, value in kwargs.items()}
        device = next(
            value.device.type
            for value in _flat([*args, *kwargs.values()])
            if isinstance(value, Tensor)
        )
        with torch.autocast(device, enabled=False):
            return function(*lifted, **named)

    return guarded  # type: ignore[return-value]


def _lifted(value: Any) -> Any:
    if isinstance(value, Tensor):
        return full_precision(value)
    if type(value) in (list, tuple):
        return type(value)(map(_lifted, value))
    return value


def _flat(values: Sequence[Any]) -> Any:
    for value in values:
        if type(value) in (list, tuple):
            yield from _flat(value)
        else:
            yield value


def constants(values: Sequence[float], like: Tensor) -> Tensor:
    """Numbers as a tensor, made where it is needed.

    ``Tensor.new_tensor`` copies them from the CPU, for which a GPU is waited for.

    Args:
        values: n numbers.
        like: tensor whose dtype and device the result takes.

    Returns:
        Shape (n,).
    """
    return torch.stack([like.new_full((), value) for value in values])


def per_axis(values: Sequence[float], like: Tensor) -> Tensor | float:
    """One number a coordinate, to calculate with; see :func:`constants`.

    Args:
        values: n numbers.
        like: tensor (..., n) that they meet.

    Returns:
        The number that all are equal to, or shape (n,).
    """
    return values[0] if len(set(values)) == 1 else constants(values, like)


def full_precision_product(left: Tensor, right: Tensor) -> Tensor:
    """Matrix product in the precision of its factors, also where TF32 is allowed.

    TF32, which some GPUs multiply float32 matrices in, keeps three digits: too few for
    positions and for differences of squares. The right matrix should be narrow.

    Args:
        left: shape (..., n, m).
        right: shape (..., m, c) of the same dtype, c small.

    Returns:
        Shape (..., n, c).
    """
    if left.device.type == 'cpu':
        return left @ right
    return product_by_elements(left, right)


def product_by_elements(left: Tensor, right: Tensor) -> Tensor:
    """The same as sums of products of elements, one column of the result at a time.

    Args: see :func:`full_precision_product`.

    Returns:
        Shape (..., n, c).
    """
    columns = right.unbind(-1)
    return torch.stack([(left * c[..., None, :]).sum(-1) for c in columns], -1)
