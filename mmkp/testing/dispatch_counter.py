# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a GPU would have to do for a call, counted without one.

A GPU is kept busy by few large operations, and stands still where the host waits for a
value of it. Both can be counted wherever the same operations are dispatched: on a CPU,
or on the device ``meta``, where nothing is computed and the sizes may be any.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mmkp.ops import accelerators

# Whose result, or whose shape, depends on values: the host has to wait for them.
_DATA_DEPENDENT = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
# Indices may be masks, whose cells are counted first.
_INDEXED = ('aten::index', 'aten::index_put', 'aten::index_put_')
# They make room or pass on memory, and start nothing on a device.
_WITHOUT_LAUNCH = (
    'aten::empty',
    'aten::new_empty',
    'aten::new_empty_strided',
    'aten::empty_like',
    'aten::empty_strided',
    'aten::_unsafe_view',
    'aten::set_',
    'aten::resize_',
)
# Errors of LAPACK's kind are asked of the device.
_CHECKS = ('aten::_linalg_check_errors', 'aten::is_nonzero')


class DispatchCounter(TorchDispatchMode):
    """Counts the operations that torch dispatches, and those that let the host wait.

    Within the context each call of an operator below autograd is one of

    * **views**, which only describe memory anew, or reserve it;
    * **operations**, each of which is one launch or a few of them on a GPU;
    * **synchronizations**, at which the host waits for the device, or copies to it
      from pageable memory: values and masks that are read (``item()``,
      ``bool(tensor)``, ``x[mask]``, ``nonzero``, ``unique``), numbers made a tensor
      (``torch.tensor``, ``new_tensor``; seen on CPUs only), copies between devices.
      These are counted as operations, too.

    What stays on the host by design, such as a constant made by ``torch.tensor`` for a
    computation on the CPU, looks on a CPU like a copy to the device. ``numpy()``,
    ``tolist()`` and ``cpu()`` of a tensor on the CPU dispatch nothing; on ``meta`` they
    raise, as does everything that reads a value.

    Attributes:
        operations: how often each operator ran, by name.
        synchronizations: how often each operator let the host wait, by name.
        places: where it did, ``operator at file:line`` outside of torch.
        views: how often each operator without a launch ran, by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[str] = Counter()
        self.synchronizations: Counter[str] = Counter()
        self.places: Counter[str] = Counter()
        self.views: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = func._schema.name
        if _waits(func, name, args, kwargs, result):
            self.synchronizations[name] += 1
            self.places[f'{name} at {_caller()}'] += 1
            self.operations[name] += 1
        elif name in _WITHOUT_LAUNCH or _is_view(func):
            self.views[name] += 1
        elif not _tensors((args, kwargs, result)):
            pass  # such as promote_types
        else:
            self.operations[name] += 1
        return result


def count_dispatches(call: Callable[[], Any]) -> tuple[int, int]:
    """Count what a call dispatches.

    Args:
        call: what is run once.

    Returns:
        Numbers of operations and of synchronizations, see :class:`DispatchCounter`.
    """
    with DispatchCounter() as counter:
        call()
    return counter.operations.total(), counter.synchronizations.total()


@contextmanager
def forms_of_accelerators() -> Iterator[None]:
    """Let operations on the CPU take the forms that accelerators are given.

    Yields:
        Within the context results are the same to rounding.
    """
    with mock.patch.object(accelerators, 'is_accelerator', lambda device: True):
        yield


@contextmanager
def without_values() -> Iterator[None]:
    """Make tensors on the device ``meta``: they have shapes, types, and no values.

    Yields:
        Within the context whatever would read a value, or copy a tensor to the host,
        raises, operations take the forms of accelerators, and sizes may be any.
    """
    # torch has no autocast for this device.
    with mock.patch.object(torch, 'autocast', _Autocast), torch.device('meta'):
        yield


class _Autocast(torch.autocast):
    """torch.autocast which changes nothing on devices that do not know it."""

    def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
        if device_type == 'meta':
            device_type, args, kwargs = 'cpu', (), {'enabled': False}
        super().__init__(device_type, *args, **kwargs)


def _caller() -> str:
    """Place of the innermost line that is neither of torch nor of this file."""
    frame = sys._getframe(1)
    here, torch_folder = __file__, str(Path(torch.__file__).parent)
    while frame.f_back is not None:
        name = frame.f_code.co_filename
        if name != here and not name.startswith(torch_folder):
            break
        frame = frame.f_back
    return f'{frame.f_code.co_filename}:{frame.f_lineno}'


def _is_view(func: Any) -> bool:
    """Tell whether an operator passes the memory of an argument on, unchanged."""
    infos = [argument.alias_info for argument in func._schema.arguments]
    return any(info is not None and not info.is_write for info in infos)


def _waits(func: Any, name: str, args: tuple, kwargs: dict, result: Any) -> bool:
    """Tell whether the host waits for the device in a call, or copies to it."""
    if name in _INDEXED:
        return any(t.dtype in (torch.bool, torch.uint8) for t in _tensors(args[1]))
    if name == 'aten::repeat_interleave':
        return kwargs.get('output_size') is None
    if name in _CHECKS or _DATA_DEPENDENT.intersection(func.tags):
        return True
    if name == 'aten::lift_fresh':  # numbers that have just become a tensor
        return True
    if name in ('aten::_to_copy', 'aten::copy_'):
        devices = {t.device for t in _tensors((args, result))}
        return len(devices) > 1 and not kwargs.get('non_blocking', False)
    return False


def _tensors(values: Any) -> list[Tensor]:
    """All tensors among nested arguments."""
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
