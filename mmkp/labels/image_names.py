# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Find the image files that a table names."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath


def find_image(folder: str | Path, name: str) -> str | None:
    """Find an image by a name that may have been written on another machine.

    Args:
        folder: Folder of the images.
        name: Path as a table gives it: below the folder, or a longer one whose end is,
            such as ``labeled-data/mouse/img1.png`` or one of Windows.

    Returns:
        The image's path below the folder, with ``/``; ``None``: there is none.
    """
    for candidate in _candidates(name):
        if (Path(folder) / candidate).is_file():
            return candidate
    return None


def _candidates(name: str) -> Iterator[str]:
    """Yield the name as it is, then without backslashes, then its ends."""
    yield name.removeprefix('/')
    parts: Sequence[str] = PurePosixPath(name.replace('\\', '/')).parts
    parts = [part for part in parts if part not in ('/', '.', '..')]
    for start in range(len(parts)):
        yield '/'.join(parts[start:])
