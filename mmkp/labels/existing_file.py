# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A file that has to be there before it is read."""

from pathlib import Path


def existing_file(path: str | Path, kind: str, remedy: str = '') -> Path:
    """Return the path of a file that is there.

    Args:
        path: Of the file.
        kind: What it should be, such as 'a text file', for the message.
        remedy: What to do if it does not exist.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it is a folder.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist{remedy}')
    if path.is_dir():
        raise ValueError(f'{path} is a folder, expected {kind}')
    return path
