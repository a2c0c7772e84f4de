# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read .npz files of plain arrays, with errors that name file and array."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def read_npz(path: str | Path, names: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Read all arrays of an .npz file without running code from it.

    Args:
        path: The file.
        names: Arrays that it has to have.

    Returns:
        Name to array.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is no .npz file of plain arrays, is damaged, or lacks one.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist')
    if not path.is_file():
        raise ValueError(f'{path} is a folder, expected an .npz file')
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f'{path} ({path.stat().st_size} bytes) is no .npz file or is truncated; '
            'write one with numpy.savez, or copy it again'
        )
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    # What a damaged archive raises depends on where it is damaged.
    except (
        ValueError,
        OSError,
        EOFError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        MemoryError,
        SyntaxError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(f'{path} cannot be read: {error}') from error
    others = [name for name, array in arrays.items() if not hasattr(array, 'shape')]
    for name in others:
        del arrays[name]
    missing = [name for name in names if name not in arrays]
    if missing:
        found = ', '.join(sorted(arrays)) or 'nothing'
        raise ValueError(f'{path} lacks {", ".join(missing)}; it holds {found}')
    return arrays


def numbers_of(
    arrays: dict[str, np.ndarray], name: str, path: str | Path
) -> np.ndarray:
    """Return one array of a file as float64.

    Args:
        arrays: What :func:`read_npz` returns.
        name: One of its names.
        path: The file, for messages.

    Returns:
        The numbers.

    Raises:
        ValueError: If it holds something else than real numbers.
    """
    if arrays[name].dtype.kind not in 'biuf':
        raise ValueError(
            f'{path}: {name} holds values of the type {arrays[name].dtype}, not numbers'
        )
    return arrays[name].astype(np.float64)
