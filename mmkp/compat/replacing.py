# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How shims put functions in the place of another package's."""

import functools
from collections.abc import Callable
from typing import Any


def replace(owner: Any, name: str, function: Callable) -> None:
    """Put a function in the place of another one.

    Args:
        owner: class or module.
        name: of the function in it.
        function: gets the former function first, then its arguments.
    """
    upstream = getattr(owner, name)

    @functools.wraps(upstream)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        return function(upstream, *args, **kwargs)

    replacement.is_ours = True  # type: ignore[attr-defined]
    setattr(owner, name, replacement)


def is_replaced(function: Callable) -> bool:
    """Whether :func:`replace` has put a function where it is."""
    return getattr(function, 'is_ours', False)
