"""An unpickler that builds what MMEngine checkpoints contain, and nothing else.

A pickle is a program: it names functions by import path and calls them. This one looks
names up in a fixed table, never by importing, and checks each instruction that calls,
creates, or modifies something. What the table holds cannot be combined into anything
beyond plain containers, arrays and tensors.
"""

import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn

import numpy as np
from mmengine.logging import HistoryBuffer

from mmkp.engine.restricted_globals import (
    CALLABLES,
    STATE_SETTERS,
    VALUES,
    ForbiddenPickleError,
    check_dtype_state,
    check_key,
)
from mmkp.engine.shown import shown

_CALLABLE_IDS = frozenset(map(id, CALLABLES.values()))


class InertObject:
    """Accepts any arguments and state, and does nothing.

    Stands for classes that a foreign checkpoint mentions and nobody needs, such as the
    callbacks in a Lightning checkpoint.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def __setstate__(self, state: Any) -> None: ...


# The interpreter in Python, because the one in C cannot be told what not to execute.
class RestrictedUnpickler(pickle._Unpickler):
    """Unpickles plain types, arrays, tensors and ``HistoryBuffer``; refuses the rest.

    ``torch.load`` takes it through its ``pickle_module`` argument; the storages of
    tensors are then read by torch itself.

    Attributes:
        extra_globals: Further names that a pickle may mention, call, create and give a
            state, ``'module.name'`` to the object that is taken for it.

    Raises:
        ForbiddenPickleError: Where the pickle holds anything else, naming it.
    """

    extra_globals: Mapping[str, Any] = {}
    dispatch: ClassVar[dict[int, Any]]

    # Of the base class, whose types are not published.
    stack: list[Any]
    append: Callable[[Any], None]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def find_class(self, module: str, name: str) -> Any:
        """Look up a global in the tables; nothing is ever imported."""
        key = ('builtins' if module == '__builtin__' else module, name)
        for table in (CALLABLES, VALUES):
            if key in table:
                return table[key]
        full_name = '.'.join(key)
        if full_name in self.extra_globals:
            return self.extra_globals[full_name]
        raise ForbiddenPickleError(full_name)

    def _is_extra(self, candidate: Any) -> bool:
        return any(candidate is extra for extra in self.extra_globals.values())

    def _call(self, function: Any, arguments: Any) -> Any:
        if type(arguments) is not tuple:
            raise ForbiddenPickleError(f'a call with {type(arguments).__name__}')
        if id(function) in _CALLABLE_IDS or self._is_extra(function):
            return function(*arguments)
        raise ForbiddenPickleError(f'a call of {shown(function)}')

    def _create(self, cls: Any, arguments: Any) -> Any:
        if cls is HistoryBuffer and arguments == ():
            return HistoryBuffer.__new__(HistoryBuffer)
        if isinstance(cls, type) and self._is_extra(cls):
            return cls.__new__(cls, *arguments)
        raise ForbiddenPickleError(f'an object of {shown(cls)}')

    def _set_state(self, instance: Any, state: Any) -> None:
        setter = STATE_SETTERS.get(type(instance))
        if setter is not None:
            setter(instance, state)
        elif isinstance(instance, np.dtype):
            check_dtype_state(instance, state)
        elif self._is_extra(type(instance)) and hasattr(instance, '__setstate__'):
            instance.__setstate__(state)
        elif self._is_extra(type(instance)) and isinstance(state, dict):
            vars(instance).update(state)
        else:
            raise ForbiddenPickleError(f'a state for {type(instance).__name__}')

    def _require(self, container: Any, *types: type) -> None:
        if type(container) not in types and not self._is_extra(type(container)):
            raise ForbiddenPickleError(f'items for {type(container).__name__}')

    def load_reduce(self) -> None:
        """Call a function of the tables."""
        arguments = self.stack.pop()
        self.stack[-1] = self._call(self.stack[-1], arguments)

    def load_newobj(self) -> None:
        """Make an object without calling its constructor."""
        arguments = self.stack.pop()
        self.append(self._create(self.stack.pop(), arguments))

    def load_build(self) -> None:
        """Give an object its state."""
        state = self.stack.pop()
        self._set_state(self.stack[-1], state)

    def load_append(self) -> None:
        """Append to a list."""
        value = self.stack.pop()
        self._require(self.stack[-1], list)
        self.stack[-1].append(value)

    def load_appends(self) -> None:
        """Extend a list."""
        items = self.pop_mark()
        self._require(self.stack[-1], list)
        self.stack[-1].extend(items)

    def load_setitem(self) -> None:
        """Set an item of a dictionary."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set_items([key, value])

    def load_setitems(self) -> None:
        """Set items of a dictionary."""
        self._set_items(self.pop_mark())

    def _set_items(self, items: list[Any]) -> None:
        self._require(self.stack[-1], dict, OrderedDict, Counter)
        for key, value in zip(_hashable(items[::2]), items[1::2], strict=True):
            self.stack[-1][key] = value

    def load_additems(self) -> None:
        """Add to a set."""
        items = self.pop_mark()
        self._require(self.stack[-1], set)
        self.stack[-1].update(_hashable(items))

    def load_dict(self) -> None:
        """Make a dictionary."""
        items = self.pop_mark()
        self.append(dict(zip(_hashable(items[::2]), items[1::2], strict=True)))

    def load_frozenset(self) -> None:
        """Make a frozen set."""
        items = self.pop_mark()  # which changes where append leads
        self.append(frozenset(_hashable(items)))

    def load_bytearray8(self) -> None:
        """Make a bytearray; the base class makes room for any size that is claimed."""
        size = int.from_bytes(self.read(8), 'little')
        content = self.read(size)
        if len(content) < size:
            raise EOFError('it ends within a bytearray')
        self.append(bytearray(content))

    def _refuse(self) -> NoReturn:
        raise ForbiddenPickleError('an instruction that torch.save never writes')

    # Calls in disguise, the extension registry, and buffers from outside the pickle.
    load_inst = load_obj = load_newobj_ex = _refuse
    load_ext1 = load_ext2 = load_ext4 = _refuse
    load_persid = load_next_buffer = load_readonly_buffer = _refuse


# The base class looks its instructions up here, not among the methods.
RestrictedUnpickler.dispatch = {
    code: getattr(RestrictedUnpickler, function.__name__)
    for code, function in pickle._Unpickler.dispatch.items()
}


def _hashable(items: list[Any]) -> list[Any]:
    """Items that can be hashed without a danger."""
    for item in items:
        check_key(item)
    return items
