# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Ctrl-C while a program of mmkp is importing, which takes seconds."""

import os
import sys
from pathlib import Path
from types import TracebackType


def tell_early_interruptions() -> None:
    """Let a program of mmkp end in a word where it is interrupted before it has begun.

    Other programs that import mmkp, and notebooks, keep their own ways.
    """
    if _is_program_of_ours():
        sys.excepthook = _tell


def _is_program_of_ours() -> bool:
    if sys.argv[:1] == ['-m']:  # python -m mmkp, while the package is imported
        return 'mmkp' in sys.orig_argv
    path = getattr(sys.modules.get('__main__'), '__file__', None)
    if path is None:
        return False
    program = Path(path).resolve()
    tools = Path(__file__).resolve().parents[1] / 'tools'
    return program.stem == 'mmkp' or program.is_relative_to(tools)


def _tell(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt) and os.environ.get('MMKP_TRACEBACK') != '1':
        print('interrupted', file=sys.stderr, flush=True)
        os._exit(130)
    sys.__excepthook__(kind, error, trace)
