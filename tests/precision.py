# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Values and gradients in full precision, under autocast and of half inputs."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

HALVES = (torch.bfloat16, torch.float16)


class Case(NamedTuple):
    """A computation and how far half precision may move it.

    ``call`` takes ``inputs``, float32 tensors. With ``keeps_dtype`` results have the
    dtype of the first one, as values that are only moved have. ``bound`` is the length
    of the difference over that of the result, in steps of the half precision, and
    ``gradient_bound`` that of the gradient, as a share: where ReLU and maximum pooling
    choose otherwise, steps say little. 0 is for the same bits.
    ``takes_half`` is off where half inputs cannot come.
    """

    call: Callable[..., Any]
    inputs: tuple[Tensor, ...]
    keeps_dtype: bool = False
    bound: float = 0
    gradient_bound: float = 0
    takes_half: bool = True


def tensors_of(value: Any) -> Iterator[Tensor]:
    """All floating tensors in nested sequences, mappings and warps."""
    if isinstance(value, Tensor):
        if value.is_floating_point():
            yield value
    elif isinstance(value, dict):
        yield from tensors_of(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors_of(each)
    elif dataclasses.is_dataclass(value):
        yield from tensors_of(list(vars(value).values()))


def compute(case: Case, inputs: list[Tensor], autocast: torch.dtype | None = None):
    """Results and the gradients of a weighted sum of them, made outside autocast."""
    leaves = [value.detach().clone().requires_grad_() for value in inputs]
    torch.manual_seed(0)
    context = contextlib.nullcontext()
    if autocast is not None:
        context = torch.autocast('cpu', dtype=autocast)
    with context:
        results = list(tensors_of(case.call(*leaves)))
    assert results
    parts = [
        (part.double() * torch.linspace(-1, 2, part.numel()).view_as(part)).sum()
        for part in results
        if part.requires_grad
    ]
    gradients: tuple[Tensor | None, ...] = (None,) * len(leaves)
    if parts:
        gradients = torch.autograd.grad(sum(parts), leaves, allow_unused=True)
    return [r.detach() for r in results], gradients


def assert_close(found: Tensor, exact: Tensor, bound: float, half: torch.dtype) -> None:
    if not bound:
        torch.testing.assert_close(found, exact, rtol=0, atol=0, equal_nan=True)
        return
    share = float((found.double() - exact.double()).norm() / exact.double().norm())
    assert share <= bound, f'{share:.3g} of the whole in {half}'


def check_autocast(case: Case, half: torch.dtype) -> None:
    """Autocast changes neither results nor gradients by more than the bound."""
    exact, exact_gradients = compute(case, list(case.inputs))
    found, gradients = compute(case, list(case.inputs), half)
    for one, other in zip(found, exact, strict=True):
        if not case.bound:
            assert one.dtype == other.dtype
        assert_close(one, other, case.bound * torch.finfo(half).eps, half)
    for one, other in zip(gradients, exact_gradients, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert_close(one, other, case.gradient_bound, half)


def check_half_inputs(case: Case, half: torch.dtype) -> None:
    """Half inputs give what their values in float32 do."""
    rounded = [value.to(half) for value in case.inputs]
    exact, exact_gradients = compute(case, [value.float() for value in rounded])
    found, gradients = compute(case, rounded)
    for one, other in zip(found, exact, strict=True):
        if case.keeps_dtype:
            assert one.dtype == half
            other = other.to(half)
        elif not case.bound:
            assert one.dtype == other.dtype
        step = torch.finfo(half).eps
        assert_close(one, other.to(one.dtype), case.bound * step, half)
    for one, other in zip(gradients, exact_gradients, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.dtype == half
            # The parts that are added up are rounded, and so is their sum.
            bound = case.gradient_bound or torch.finfo(half).eps
            assert_close(one.float(), other, bound, half)
