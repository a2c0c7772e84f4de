"""Loops over plain numbers as machine code, where numba is installed."""

from collections.abc import Callable
from typing import Any, TypeVar

try:
    from numba import njit
except ImportError:  # Interpreted, the same loops give the same poses, slowly.
    njit: Any = None  # type: ignore[no-redef]

Loops = TypeVar('Loops', bound=Callable[..., Any])


def compiled(function: Loops) -> Loops:
    """Compile a function of arrays, numbers and named tuples of them.

    No sum is reordered, so that the compiled and the interpreted form give the same
    bits; ``NUMBA_DISABLE_JIT=1`` chooses the latter. Machine code is kept on disk for
    the next process. After a change, ``make clean`` removes what callers in other
    modules have kept of it.

    Args:
        function: calls compiled functions only.

    Returns:
        The function, which releases Python's lock while it runs.
    """
    if njit is None:
        return function
    try:
        return njit(cache=True, nogil=True)(function)  # type: ignore[return-value]
    except RuntimeError:  # There is no folder to keep it in.
        return njit(nogil=True)(function)  # type: ignore[return-value]


def inlined(function: Loops) -> Loops:
    """The same as part of the code of each caller, for what a loop calls often."""
    if njit is None:
        return function
    return njit(nogil=True, forceinline=True)(function)  # type: ignore[return-value]
