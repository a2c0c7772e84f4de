# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convert published weights of a Stacked Hourglass to a checkpoint of mmkp.

What a file holds is found out from the names in it: ``checkpoint.pt`` of Princeton's
pytorch_stacked_hourglass, ``checkpoint.pth.tar`` of bearpaw's pytorch-pose, or a state
dict of the author's network in PyTorch. Files are loaded without running code from
them. For example::

    python tools/model_converters/hourglass_to_mmkp.py checkpoint.pt hourglass.pth
"""

import argparse
from collections.abc import Mapping
from typing import Any

import mmkp  # noqa: F401  registers the network
from mmkp.converters.conversion import config_source, convert_file
from mmkp.converters.hourglass import convert_checkpoint
from mmkp.engine import load_from_local
from mmkp.engine.cli import run_tool


def describe(meta: Mapping[str, Any]) -> str:
    """Write what goes into the config of a model that loads the checkpoint."""
    backbone = meta['backbone']
    head = dict(
        type='StackedHourglassHead',
        num_stacks=backbone['num_stacks'],
        num_keypoints=backbone['num_keypoints'],
    )
    return '\n'.join(
        (
            f'    data_preprocessor={config_source(meta["data_preprocessor"])},',
            f'    backbone={config_source(backbone)},',
            f'    head={config_source(head)[:-1]}, decoder=codec),',
        )
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    parser = argparse.ArgumentParser(
        description="Convert weights of Princeton's, bearpaw's or the author's Stacked "
        'Hourglass to mmkp, and print the config to use them with.'
    )
    parser.add_argument('source', help='published file: .pt, .pth or .pth.tar')
    parser.add_argument('target', help='file to write, .pth')
    args = parser.parse_args(arguments)
    converted = convert_file(
        args.source, args.target, load_from_local, convert_checkpoint
    )
    meta = converted['meta']
    # Without the running statistics, as papers count.
    count = sum(
        value.numel()
        for name, value in converted['state_dict'].items()
        if name.endswith(('.weight', '.bias'))
    )
    print(
        f'wrote {args.target}: {count:,} parameters of {meta["converted_from"]}; in '
        'the config of the model:'
    )
    print(describe(meta))


if __name__ == '__main__':
    run_tool(main)
