"""What a checkpoint may mention, call, and give a state: the tables of the unpickler.

The functions here stand for those that a pickle names; each takes only the arguments
that ``torch.save`` writes.
"""

import math
import pickle
import re
import sys
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

from mmkp.engine.shown import shown
from mmkp.engine.tensor_rebuilding import REBUILDERS, STORAGE_TYPES


class ForbiddenPickleError(pickle.UnpicklingError):
    """A pickle names or does something that no MMEngine checkpoint needs."""


def _encode(text: str, encoding: str) -> bytes:
    """Stand for ``_codecs.encode``, by which protocol 2 writes bytes."""
    if encoding != 'latin1':
        raise ForbiddenPickleError(f'_codecs.encode to {shown(encoding)}')
    return text.encode('latin1')


def _bytearray(content: bytes | str = b'', encoding: str = 'latin-1') -> bytearray:
    """Stand for ``bytearray``, which would also take a size."""
    if isinstance(content, str):
        return bytearray(_encode(content, encoding.replace('-', '')))
    if not isinstance(content, bytes):
        raise ForbiddenPickleError(f'builtins.bytearray of {type(content).__name__}')
    return bytearray(content)


def _no_bytes() -> bytes:
    """Stand for ``bytes``, by which protocol 2 writes empty ones."""
    return b''


def _hashing(kind: Callable, items: Any = ()) -> Any:
    """Stand for containers that hash their items."""
    if not isinstance(items, list | tuple | dict):
        # A tensor of repeated numbers would give millions of items.
        raise ForbiddenPickleError(f'a container of {shown(items)}')
    for item in items:
        # Pairs come as lists or tuples; check_key allows for those around them.
        check_key(tuple(item) if isinstance(item, list) else item)
    return kind(items)


# Elementary types only: structured and date types carry a state of their own.
_DTYPE = re.compile(r'b1|[iu][1248]|f(2|4|8|12|16)|c(8|16|24|32)|[SU]\d{1,9}|O8?')


def _dtype(code: str, align: Any = False, copy: Any = False) -> np.dtype:
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        raise ForbiddenPickleError(f'numpy.dtype({shown(code)})')
    return np.dtype(code)


def _empty_array(subtype: Any, shape: Any, code: Any) -> np.ndarray:
    """Stand for ``_reconstruct``: shape and type come later, with the state."""
    if subtype is not np.ndarray:
        raise ForbiddenPickleError(
            f'numpy.core.multiarray._reconstruct of {shown(subtype)}'
        )
    return np.empty(0, np.int8)


def _scalar(dtype: Any, data: Any) -> Any:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise ForbiddenPickleError(f'numpy.core.multiarray.scalar of {shown(dtype)}')
    return np.ndarray((), dtype, data)[()]


# The functions that MMEngine keeps in the state of its objects.
_METHODS: dict[type, tuple[str, ...]] = {
    HistoryBuffer: ('min', 'max', 'current', 'mean'),
    OneCycleParamScheduler: ('_annealing_cos', '_annealing_linear'),
}


def _getattr(owner: Any, name: Any) -> Any:
    """Stand for ``getattr``, by which protocol 2 writes methods."""
    if not isinstance(owner, type) or name not in _METHODS.get(owner, ()):
        raise ForbiddenPickleError(f'builtins.getattr({shown(owner)}, {shown(name)})')
    return getattr(owner, name)


def _classes_and_methods() -> dict[tuple[str, str], Any]:
    values: dict[tuple[str, str], Any] = {}
    for owner, names in _METHODS.items():
        values[owner.__module__, owner.__name__] = owner
        for name in names:
            values[owner.__module__, f'{owner.__name__}.{name}'] = getattr(owner, name)
    return values


def _size(sides: Any = ()) -> torch.Size:
    """Stand for ``torch.Size``, which would also take a tensor apart."""
    if not isinstance(sides, list | tuple):
        raise ForbiddenPickleError(f'torch.Size of {shown(sides)}')
    return torch.Size(sides)


def _torch_dtypes() -> dict[tuple[str, str], Any]:
    return {
        ('torch', name): value
        for name, value in vars(torch).items()
        if isinstance(value, torch.dtype) and value not in _QUANTIZED
    }


_QUANTIZED = frozenset(
    getattr(torch, name)
    for name in ('qint8', 'qint32', 'quint8', 'quint4x2', 'quint2x4')
)

# What a pickle may call.
CALLABLES: dict[tuple[str, str], Callable] = {
    ('builtins', 'bytearray'): _bytearray,
    ('builtins', 'bytes'): _no_bytes,
    ('builtins', 'complex'): complex,
    ('builtins', 'frozenset'): partial(_hashing, frozenset),
    ('builtins', 'getattr'): _getattr,
    ('builtins', 'set'): partial(_hashing, set),
    ('builtins', 'slice'): slice,
    ('_codecs', 'encode'): _encode,
    ('collections', 'Counter'): partial(_hashing, Counter),
    ('collections', 'OrderedDict'): partial(_hashing, OrderedDict),
    ('numpy', 'dtype'): _dtype,
    ('numpy.core.multiarray', '_reconstruct'): _empty_array,
    ('numpy.core.multiarray', 'scalar'): _scalar,
    ('numpy._core.multiarray', '_reconstruct'): _empty_array,
    ('numpy._core.multiarray', 'scalar'): _scalar,
    ('torch', 'Size'): _size,
    ('torch', 'device'): torch.device,
    **REBUILDERS,
}

# What a pickle may mention, but not call.
VALUES: dict[tuple[str, str], Any] = {
    **_classes_and_methods(),
    ('numpy', 'ndarray'): np.ndarray,
    ('torch.storage', 'UntypedStorage'): torch.UntypedStorage,
    **_torch_dtypes(),
    **STORAGE_TYPES,
}


def _set_dict_state(instance: OrderedDict, state: Any) -> None:
    """Versions of the modules, which ``Module.state_dict`` keeps beside the items."""
    if type(state) is not dict or set(state) - {'_metadata'}:
        raise ForbiddenPickleError(f'attributes of OrderedDict: {shown(state)}')
    vars(instance).update(state)


def _set_array_state(instance: np.ndarray, state: Any) -> None:
    _version, shape, dtype, _fortran, data = state
    # NumPy believes all of this: it reads beyond a list that is shorter than the shape,
    # and would follow bytes that are taken for Python objects.
    if type(shape) is not tuple or any(type(n) is not int or n < 0 for n in shape):
        raise ForbiddenPickleError(f'numpy.ndarray of the shape {shown(shape)}')
    expected = list if dtype.hasobject else bytes
    if not isinstance(dtype, np.dtype) or type(data) is not expected:
        raise ForbiddenPickleError(f'numpy.ndarray of {type(data).__name__} data')
    count = math.prod(shape)
    length = count * (1 if dtype.hasobject else dtype.itemsize)
    if len(data) != length or count > max(length, 0 in shape):
        raise ForbiddenPickleError(
            f'numpy.ndarray of shape {shown(shape)} with data of length {len(data)}'
        )
    np.ndarray.__setstate__(instance, state)  # type: ignore[attr-defined]


def check_dtype_state(instance: np.dtype, state: Any) -> None:
    """A dtype is complete as created; its state may only say what it already is."""
    native = '<' if sys.byteorder == 'little' else '>'
    _version, byte_order, *fields = state[:5]
    if byte_order not in ('|', '=', native) or fields != [None] * 3:
        raise ForbiddenPickleError(f'numpy.dtype with the state {shown(state)}')


_HISTORY_STATE = {'_log_history', '_count_history', 'max_length', 'statistics_methods'}


def _set_history_state(instance: HistoryBuffer, state: Any) -> None:
    if type(state) is not dict or set(state) - _HISTORY_STATE:
        raise ForbiddenPickleError(f'attributes of HistoryBuffer: {shown(state)}')
    registered = HistoryBuffer._statistics_methods
    for name, method in state.get('statistics_methods', {}).items():
        own = registered.get(name, vars(HistoryBuffer).get(name))
        if method is not own:
            raise ForbiddenPickleError(f'{shown(method)} as statistics {shown(name)}')
    instance.__setstate__(state)


#: Of a tuple that is a key: three such levels are checked in a moment.
_MAX_KEY_ITEMS = 32


def check_key(key: Any, depth: int = 3) -> None:
    """Refuse keys that take long to hash, overflow the stack, or all hash to one value.

    Args:
        key: of a dict, or an item of a set.
        depth: how many tuples may lie in each other.

    Raises:
        ForbiddenPickleError: it is nested deeper, long, or a number that can be chosen
            to have the hash of others.
    """
    if isinstance(key, tuple | frozenset):
        if depth == 0:
            raise ForbiddenPickleError('a key of tuples in tuples in tuples')
        if len(key) > _MAX_KEY_ITEMS:
            raise ForbiddenPickleError(f'a key of {len(key)} items')
        for item in key:
            check_key(item, depth - 1)
    elif isinstance(key, complex) or (isinstance(key, int) and abs(key) >> 64):
        raise ForbiddenPickleError(f'a key that is {shown(key)}')


STATE_SETTERS: dict[type, Callable[[Any, Any], None]] = {
    HistoryBuffer: _set_history_state,
    OrderedDict: _set_dict_state,
    np.ndarray: _set_array_state,
}
