"""A run's folder on the command line, in place of a config and a checkpoint."""

import sys
from collections.abc import Sequence
from pathlib import Path

from mmkp.apis.run import Run


def with_run(argv: Sequence[str] | None, prog: str | None) -> list[str]:
    """Replace a first word that is a folder by the config and checkpoint of that run.

    Args:
        argv: words of the command line, None for those of the program.
        prog: the program and verb, which a tool of ``tools/`` does without.

    Returns:
        The words.

    Raises:
        FileNotFoundError: the folder is no run.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if prog is None or not words or not Path(words[0]).is_dir():
        return words
    run = Run(words[0])
    return [str(run.config_file), str(run.checkpoint), *words[1:]]
