"""The few operations that numpy and torch call by different names or rules.

Code that uses these runs on arrays, on the CPU, and on tensors, on any device.
"""

from typing import Any

import numpy as np
import torch


def arange(number: int, like: Any, integer: bool = False) -> Any:
    """Whole numbers from 0, float64 or int64, of the kind and on the device of another.

    Args:
        number: how many.
        like: array or tensor.
        integer: whether int64 instead of float64.
    """
    if isinstance(like, torch.Tensor):
        dtype = torch.int64 if integer else torch.float64
        return torch.arange(number, dtype=dtype, device=like.device)
    return np.arange(number, dtype=np.int64 if integer else np.float64)


def where(condition: Any, first: Any, second: Any) -> Any:
    """``first`` where the condition holds, else ``second``."""
    if isinstance(condition, torch.Tensor):
        return torch.where(condition, first, second)
    return np.where(condition, first, second)


def nonzero(mask: Any) -> Any:
    """Indices of the true elements of a mask (M,), int64."""
    if isinstance(mask, torch.Tensor):
        return mask.nonzero().flatten()
    return np.flatnonzero(mask)


def double(values: Any) -> Any:
    """The same in float64."""
    if isinstance(values, torch.Tensor):
        return values.double()
    return values.astype(np.float64)


def single(values: Any) -> Any:
    """The same in float32."""
    if isinstance(values, torch.Tensor):
        return values.float()
    return values.astype(np.float32)


def truncated(values: Any) -> Any:
    """The same in int64, what is behind the point cut off."""
    if isinstance(values, torch.Tensor):
        return values.long()
    return values.astype(np.int64)


def within(values: Any, least: float, most: float) -> Any:
    """Values limited to a range."""
    if isinstance(values, torch.Tensor):
        return values.clamp(least, most)
    return np.minimum(np.maximum(values, least), most)


def repeat(values: Any, times: Any) -> Any:
    """Each value as many times as said, one after the other."""
    if isinstance(values, torch.Tensor):
        return torch.repeat_interleave(values, times)
    return np.repeat(values, times)


def count(indices: Any, length: int) -> Any:
    """How often each index from 0 to ``length - 1`` occurs, int64."""
    if isinstance(indices, torch.Tensor):
        return torch.bincount(indices, minlength=length)
    return np.bincount(indices, minlength=length)


def like(values: np.ndarray, other: Any) -> Any:
    """An array as it is, or as a tensor on the device of another one."""
    if isinstance(other, torch.Tensor):
        return torch.as_tensor(values, device=other.device)
    return values


def to_numpy(values: Any) -> np.ndarray:
    """An array, copied to the CPU where it is not there."""
    return values.cpu().numpy() if isinstance(values, torch.Tensor) else values
