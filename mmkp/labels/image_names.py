# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Find the image files that a table names."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def find_image(folder: Path, name: str, beside: Path | None = None) -> str | None:
    """Find an image by a name that may have been written on another machine.

    Args:
        folder: Folder of the images.
        name: Path as a table gives it: below the folder, or a longer one whose end is,
            such as ``labeled-data/mouse/img1.png`` or one of Windows.
        beside: Folder of the table, looked into last where it is below ``folder``.

    Returns:
        The image's path below the folder, with ``/``; ``None``: there is none.
    """
    for candidate in _candidates(name):
        if (folder / candidate).is_file():
            return candidate
    base = Path(candidate).name
    if beside is not None and base and (beside / base).is_file():
        folder, beside = folder.resolve(), beside.resolve()
        if beside.is_relative_to(folder):
            return (beside / base).relative_to(folder).as_posix()
    return None


def _candidates(name: str) -> Iterator[str]:
    """Yield the name as it is, then without backslashes, then its ends."""
    yield name.removeprefix('/')
    parts = PurePosixPath(name.replace('\\', '/')).parts
    below = [part for part in parts if part not in ('/', '..')]
    for start in range(len(below)):
        yield '/'.join(below[start:])
