# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read MATLAB files, with errors that name the file."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from mmkp.datasets.matlab_elements import unpacked
from mmkp.labels.existing_file import existing_file


def load_variables(path: str | Path, **options: Any) -> dict[str, Any]:
    """Read all variables.

    Args:
        path: A .mat file of version 4 to 7.
        **options: Arguments of ``scipy.io.loadmat``.

    Returns:
        Name to variable.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it cannot be read.
    """
    path = existing_file(path, 'a .mat file', '; give the folder that holds it')
    found = path.read_bytes()
    try:
        # One of the first bytes of version 4 is zero; 7.3, which is HDF5, is not read.
        if 0 not in found[:4] and found[124:128] not in (b'\0\2IM', b'\2\0MI'):
            found = unpacked(found)
        content = loadmat(io.BytesIO(found), **options)
    # What a damaged file raises depends on where it is damaged.
    except Exception as error:
        raise ValueError(
            f'{path} is no .mat file of version 4 to 7, or is damaged: {error}'
        ) from error
    return {name: value for name, value in content.items() if name[:2] != '__'}


def load_matlab(path: str | Path, variable: str, **options: Any) -> np.ndarray:
    """Read one variable.

    Args:
        path: A .mat file of version 4 to 7.
        variable: Name of the variable.
        **options: Arguments of ``scipy.io.loadmat``.

    Returns:
        The variable, an array.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it cannot be read, or has no such variable.
    """
    content = load_variables(path, **options)
    if variable not in content:
        raise ValueError(f'{path} has no variable "{variable}", only {list(content)}')
    return np.asarray(content[variable])


def number_array(value: Any, where: str) -> np.ndarray:
    """Turn a variable or field into numbers.

    Args:
        value: What the file holds.
        where: File and field, for the message.

    Returns:
        The numbers, float64.

    Raises:
        ValueError: If it holds something else than numbers.
    """
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f'{where} holds no numbers, but {value!r:.60}') from None
