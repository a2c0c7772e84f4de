"""A run's folder on the command line, in place of a config and a checkpoint."""

import sys
from collections.abc import Sequence

from mmkp.apis.shipped_models import is_run, open_run


def with_run(argv: Sequence[str] | None, prog: str | None) -> list[str]:
    """Replace a first word that is a run by its config and checkpoint.

    Args:
        argv: words of the command line, None for those of the program.
        prog: the program and verb, which a tool of ``tools/`` does without.

    Returns:
        The words.

    Raises:
        FileNotFoundError: the folder is no run.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if prog is None or not words or not is_run(words[0]):
        return words
    run = open_run(words[0])
    return [str(run.config_file), str(run.checkpoint), *words[1:]]
