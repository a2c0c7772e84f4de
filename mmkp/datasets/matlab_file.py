# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read one variable of a MATLAB file, with errors that name the file."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError


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
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path} does not exist; give the folder that holds it')
    try:
        content = loadmat(path, **options)
    except (
        MatReadError,
        NotImplementedError,
        TypeError,
        ValueError,
        zlib.error,
    ) as error:
        raise ValueError(
            f'{path} is no .mat file of version 4 to 7: {error}'
        ) from error
    if variable not in content:
        found = [name for name in content if not name.startswith('__')]
        raise ValueError(f'{path} has no variable "{variable}", only {found}')
    return np.asarray(content[variable])
