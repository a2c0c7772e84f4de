# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read .npz files of plain arrays, with errors that name file and array."""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from .existing_file import existing_file
from .zip_archive import check_archive

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(path: str | Path, names: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Read all arrays of an .npz file without running code from it.

    ``numpy.load`` makes room for what a header claims before it looks at the data.

    Args:
        path: The file.
        names: Arrays that it has to have.

    Returns:
        Name to array.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is no .npz file of plain arrays, is damaged, or lacks one.
    """
    path = existing_file(path, 'an .npz file')
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f'{path} ({path.stat().st_size} bytes) is no .npz file or is truncated; '
            'write one with numpy.savez, or copy it again'
        )
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, path.stat().st_size)
            arrays = {
                info.filename.removesuffix('.npy'): _read_array(archive, info)
                for info in archive.infolist()
            }
    # What a damaged archive raises depends on where it is damaged.
    except Exception as error:
        detail = ' '.join(str(error).split())[:200] or type(error).__name__
        raise ValueError(
            f'{path} ({path.stat().st_size} bytes) is truncated, damaged or holds more '
            f'than arrays of numbers and text: {detail}. Copy or write it again'
        ) from error
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


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as file:
        shape, fortran, dtype = _read_header(file)
        if dtype.hasobject:
            raise ValueError(
                f'{info.filename} holds Python objects, which could be code'
            )
        data = file.read()
    if math.prod(shape) * dtype.itemsize != len(data) or not dtype.itemsize:
        raise ValueError(
            f'{info.filename} of shape {shape} and {dtype} has {len(data)} bytes'
        )
    array = np.frombuffer(data, dtype)
    return array.reshape(shape, order='F' if fortran else 'C').copy()


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f'its format is of the unknown version {version}')
    return _HEADERS[version](file)
