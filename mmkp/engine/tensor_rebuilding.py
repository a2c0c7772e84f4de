# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tensors as a pickle describes them: a storage, and which of its numbers they are.

The functions stand for those of ``torch._utils`` that ``torch.save`` names, and take
only what lies within the storage.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.storage import TypedStorage

from mmkp.engine.shown import shown

#: A tensor may repeat its numbers (stride 0); whoever copies it pays for all of them.
_MAX_REPEATED_BYTES = 1 << 28


@dataclass(frozen=True)
class StorageType:
    """Stands for classes such as ``torch.FloatStorage``."""

    dtype: torch.dtype


STORAGE_TYPES: dict[tuple[str, str], StorageType] = {
    (module, name): StorageType(dtype)
    for module in ('torch', 'torch.cuda')
    for name, dtype in torch.storage._storage_type_to_dtype_map().items()
    if not name.startswith('Q')  # of quantized tensors
}


def _view(storage: Any, dtype: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    """The tensor of a storage, if it lies inside of it."""
    if not isinstance(storage, TypedStorage) or not isinstance(dtype, torch.dtype):
        raise ValueError(f'a tensor of {shown(dtype)} in {type(storage).__name__}')
    size, stride = tuple(size), tuple(stride)
    numbers = (offset, *size, *stride)
    if len(size) != len(stride) or any(type(n) is not int or n < 0 for n in numbers):
        raise ValueError(
            f'a tensor of shape {shown(size)}, stride {shown(stride)} and offset '
            f'{shown(offset)}'
        )
    untyped = storage._untyped_storage
    count = math.prod(size)
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    available = untyped.nbytes()
    if count and (last + 1) * dtype.itemsize > available:
        raise ValueError(
            f'a tensor of shape {size} and {dtype} reaches beyond its {available} bytes'
        )
    if count * dtype.itemsize > max(available, _MAX_REPEATED_BYTES):
        raise ValueError(f'a tensor of shape {size} repeats its {available} bytes')
    tensor = torch.empty(0, dtype=dtype, device=untyped.device)
    return tensor.set_(untyped, offset if count else 0, size, stride)  # type: ignore[call-overload]


def _check_hooks(hooks: Any) -> None:
    if hooks is not None and (type(hooks) is not OrderedDict or hooks):
        raise ValueError(f'a tensor with hooks {shown(hooks)}')


def _finish(
    tensor: Tensor, requires_grad: Any, hooks: Any, metadata: Any = None
) -> Tensor:
    _check_hooks(hooks)
    tensor.requires_grad = bool(requires_grad)
    if metadata:
        torch._utils.set_tensor_metadata(tensor, metadata)
    return tensor


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    return _view(storage, getattr(storage, 'dtype', None), offset, size, stride)


def _rebuild_tensor_v2(
    storage: Any, offset: Any, size: Any, stride: Any, *rest: Any
) -> Tensor:
    return _finish(_rebuild_tensor(storage, offset, size, stride), *rest)


def _rebuild_tensor_v3(*claims: Any) -> Tensor:
    storage, offset, size, stride, requires_grad, hooks, dtype, *metadata = claims
    tensor = _view(storage, dtype, offset, size, stride)
    return _finish(tensor, requires_grad, hooks, *metadata)


def _rebuild_parameter(data: Any, requires_grad: Any, hooks: Any) -> Tensor:
    _check_hooks(hooks)
    if not isinstance(data, Tensor):
        raise ValueError(f'a parameter of {type(data).__name__}')
    return torch.nn.Parameter(data, bool(requires_grad))


#: Not sparse and quantized ones: no checkpoint of a keypoint model holds them.
REBUILDERS: dict[tuple[str, str], Callable] = {
    ('torch._utils', function.__name__): function
    for function in (
        _rebuild_tensor,
        _rebuild_tensor_v2,
        _rebuild_tensor_v3,
        _rebuild_parameter,
    )
}
