# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Open HDF5 files so that nothing is run, followed to other files, or blown up."""

import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from .existing_file import existing_file

#: What the arrays of a file may take: so many times its size, or so many bytes.
MAX_RATIO = 200
MAX_BYTES = 1 << 28
_MAX_PICKLE = 1 << 24


@contextmanager
def open_hdf5(path: str | Path) -> Iterator[Any]:
    """Open an HDF5 file to read.

    Args:
        path: File.

    Yields:
        The open ``h5py.File``.

    Raises:
        FileNotFoundError: If the file does not exist.
        ImportError: If h5py is not installed.
        ValueError: If it is no HDF5 file, is damaged, leads to other files, or claims
            arrays far larger than it.
    """
    path = existing_file(path, 'an HDF5 file')
    h5py = import_for('h5py', path)
    try:
        file = h5py.File(path, 'r')
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(
            f'{path} ({path.stat().st_size} bytes) is no HDF5 file, or is truncated or '
            f'damaged: {one_line(error)}'
        ) from None
    with file:
        claims = _claims(file, path, h5py)
        if claims > max(MAX_BYTES, MAX_RATIO * path.stat().st_size):
            raise ValueError(
                f'{path} has {path.stat().st_size} bytes, but its arrays claim '
                f'{claims}, so it is damaged or made to fill the memory'
            )
        yield file


def _claims(group: Any, path: Path, h5py: Any) -> int:
    """Bytes of all arrays below a group; links to other files are refused."""
    total, open_groups, seen = 0, [group], set()
    while open_groups:
        here = open_groups.pop()
        for name in here:
            link = here.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise ValueError(f'{path}: {name!r:.80} is a link to another file')
            if isinstance(link, h5py.SoftLink):
                continue
            item = here[name]
            if isinstance(item, h5py.Dataset):
                if item.external or item.is_virtual:
                    raise ValueError(f'{path}: {name!r:.80} has its data elsewhere')
                total += item.size * item.dtype.itemsize if item.size else 0
            elif isinstance(item, h5py.Group) and item.id not in seen:
                seen.add(item.id)
                open_groups.append(item)
    return total


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, tuples, dicts, text and numbers; names no class or function."""

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse: whatever is named here would be called."""
        raise pickle.UnpicklingError(f'it names {module}.{name}, which could be code')


def plain_pickle(content: Any, path: str | Path) -> Any:
    """Read a pickle of plain data, as PyTables keeps attributes in, running nothing.

    Args:
        content: Bytes of the attribute.
        path: The file, for messages.

    Returns:
        Lists, tuples, dicts, text, numbers.

    Raises:
        ValueError: If it holds anything else.
    """
    content = bytes(content)
    if len(content) > _MAX_PICKLE:
        raise ValueError(f'{path}: a pickle of {len(content)} bytes is not read')
    try:
        return _PlainUnpickler(io.BytesIO(content)).load()
    except Exception as error:  # whatever damaged pickles raise
        raise ValueError(
            f'{path} holds a pickle that is more than plain data, or damaged, and is '
            f'not read: {one_line(error)}. Give the csv file that was written beside it'
        ) from None


def one_line(error: BaseException) -> str:
    """Return what an error says, in one short line.

    Args:
        error: Of any kind.
    """
    return ' '.join(str(error).split())[:200] or type(error).__name__


def import_for(module: str, path: str | Path, package: str = '') -> Any:
    """Import a library that only some formats need.

    Args:
        module: Its name.
        path: The file to read or write, for the message.
        package: Its name for pip, if it differs.

    Raises:
        ImportError: If it is not installed; the message has the command.
    """
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f'{path} needs {module}, which cannot be imported '
            f'({one_line(error)}): pip install {package or module}'
        ) from None
