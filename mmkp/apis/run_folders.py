# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where the verbs write: folders that are numbered and never overwritten."""

import re
import shutil
from pathlib import Path


def new_folder(
    verb: str,
    source: str | Path = '',
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Create the folder of a result.

    Args:
        verb: that writes it.
        source: what it is made from, which names it.
        out: asked for by the user; by default ``runs/<verb>/<name of the source>``,
            with a number behind it where that exists already.
        overwrite: whether to empty a folder that was asked for.

    Returns:
        The folder, empty.

    Raises:
        FileExistsError: the folder that was asked for holds something.
        ValueError: the folder to empty is no result of mmkp.
    """
    if out is None:
        stem = re.sub(r'[^\w.-]+', '_', Path(source).resolve().stem) or verb
        folder, number = Path('runs', verb, stem), 1
        while folder.exists():
            number += 1
            folder = Path('runs', verb, f'{stem}-{number}')
    else:
        folder = Path(out)
        if folder.is_file():
            raise FileExistsError(f"'{out}' is a file; -o names a folder")
        if folder.is_dir() and any(folder.iterdir()):
            if not overwrite:
                raise FileExistsError(
                    f"'{out}' exists and holds something: name another folder with "
                    '-o, or give --overwrite'
                )
            if not (folder / MARK).is_file():
                raise ValueError(
                    f"'{out}' was not written by mmkp (it has no {MARK}), so "
                    '--overwrite does not empty it: name another folder with -o'
                )
            shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


#: Each result's folder holds it: what made it, from what.
MARK = 'run.json'
