# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read an ``.npz`` of others: numbers only, in no more memory than it accounts for."""

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from mmkp.engine.checkpoint import CheckpointError

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_MAX_RATIO = 1032  # of deflate


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """Read all arrays of an archive.

    ``numpy.load`` makes room for what a header claims before it looks at the data, and
    what it raises for a damaged file depends on where that is damaged.

    Args:
        path: the ``.npz``; ``~`` stands for the home folder.

    Returns:
        Arrays of numbers or text by their names.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is truncated, damaged, no ``.npz``, or holds objects.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'the arrays {path} can not be found')
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {
                info.filename.removesuffix('.npy'): _read_array(archive, info)
                for info in archive.infolist()
            }
    except Exception as error:
        detail = ' '.join(str(error).split())[:200]
        raise CheckpointError(
            f'{path} ({path.stat().st_size} bytes) is truncated, damaged or no .npz '
            f'file ({type(error).__name__}: {detail}). Copy or download it again.'
        ) from error
    return arrays


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    if info.file_size > _MAX_RATIO * info.compress_size:
        raise ValueError(f'{info.filename} claims {info.file_size} bytes')
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
