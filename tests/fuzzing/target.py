"""What is fuzzed: how a case is made, and what is done with it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.engine.checkpoint import CheckpointError, UntrustedCheckpointError
from mmkp.engine.cli import is_raised_here
from mmkp.engine.config_check import ConfigError

#: Errors that a user is told; each must come from a ``raise`` statement of mmkp.
REFUSALS = (
    ValueError,
    FileNotFoundError,
    CheckpointError,
    ConfigError,
    UntrustedCheckpointError,
)


@dataclass(frozen=True)
class Target:
    """One kind of input.

    Args:
        make: makes a case of a random generator, of nothing else.
        use: does with a case what a program would; raises where a result is wrong.
        share: of the cases, in relation to other targets.
        prepare: does once, outside of the bounds of a case, what the first use would:
            a compilation takes longer than a case may.
    """

    make: Callable[[np.random.Generator], Any]
    use: Callable[[Any, Path], None]
    share: float = 1.0
    prepare: Callable[[], Any] = lambda: None


def outcome(target: Target, case: Any, folder: Path) -> tuple[str, str]:
    """Run a case.

    Args:
        target: of the case.
        case: as the target makes them.
        folder: for files.

    Returns:
        'accepted', 'refused' or 'fault', and what was said.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all='ignore'):
            warnings.simplefilter('ignore')
            target.use(case, folder)
    except Exception as error:
        text = f'{type(error).__name__}: {error}'
        if _is_refusal(error):
            return 'refused', text
        return 'fault', text
    return 'accepted', ''


def _is_refusal(error: BaseException) -> bool:
    """Whether an error of ours says in one short line what is wrong."""
    text, cause = str(error), error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return False
        cause = cause.__cause__ or cause.__context__  # type: ignore[assignment]
    short = 10 < len(text) < 1500
    return short and isinstance(error, REFUSALS) and is_raised_here(error)
