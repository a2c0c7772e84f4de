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
from pathlib import Path
from typing import Any

import mmkp  # noqa: F401  registers the network
from mmkp.converters.conversion import config_source, write_checkpoint
from mmkp.converters.hourglass import convert_checkpoint
from mmkp.engine import load_checkpoint_file
from mmkp.engine.cli import run_tool


def convert(source: str | Path, target: str | Path) -> dict[str, Any]:
    """Convert one file.

    Args:
        source: the published file.
        target: the ``.pth`` file to write; its folder is made.

    Returns:
        The converted checkpoint.

    Raises:
        CheckpointError: the file is truncated, damaged or no checkpoint.
        FileNotFoundError: there is no such file.
        UntrustedCheckpointError: it could run code.
        ValueError: the file holds no Stacked Hourglass that can be converted, or the
            target is a folder.
    """
    if Path(target).is_dir():
        raise ValueError(f'{target} is a folder: give the name of the file to write')
    official = load_checkpoint_file(source, 'cpu')
    try:
        if not isinstance(official, Mapping):
            raise ValueError(f'it holds a {type(official).__name__}, not a state dict')
        converted = convert_checkpoint(official)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    write_checkpoint(converted, target)
    return converted


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


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Convert weights of Princeton's, bearpaw's or the author's Stacked "
        'Hourglass to mmkp, and print the config to use them with.'
    )
    parser.add_argument('source', help='published file: .pt, .pth or .pth.tar')
    parser.add_argument('target', help='file to write, .pth')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    args = parse_args(arguments)
    converted = convert(args.source, args.target)
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
