# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convert a checkpoint of the official AutoLink to one of mmkp.

The official checkpoints are called ``checkpoints/<run>/model.ckpt``. The file is loaded
without running code from it. Example::

    python tools/model_converters/autolink_lightning_to_mmkp.py model.ckpt autolink.pth
"""

import argparse
from argparse import Namespace
from pathlib import Path
from typing import Any

from mmkp.converters.autolink import (
    convert_checkpoint,
    count_keypoints,
    extract_vgg,
)
from mmkp.converters.conversion import write_checkpoint
from mmkp.engine.checkpoint import InertObject, load_checkpoint_file
from mmkp.engine.cli import run_tool


class AttributeDict(dict):
    """Stands for Lightning's dictionary of hyperparameters; adds nothing to dict."""


#: What Lightning pickles beside tensors and plain types, from version 1.0 to 2.x.
LIGHTNING_GLOBALS: dict[str, Any] = {
    'argparse.Namespace': Namespace,
    'pytorch_lightning.utilities.parsing.AttributeDict': AttributeDict,
    'lightning_fabric.utilities.data.AttributeDict': AttributeDict,
    'lightning.fabric.utilities.data.AttributeDict': AttributeDict,
    'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint': InertObject,
    'pathlib.PosixPath': InertObject,
    'pathlib.WindowsPath': InertObject,
    # As Python 3.13 writes them.
    'pathlib._local.PosixPath': InertObject,
    'pathlib._local.WindowsPath': InertObject,
}


def load_official(path: str | Path) -> dict[str, Any]:
    """Load a Lightning checkpoint safely.

    Args:
        path: the official ``model.ckpt``.

    Returns:
        The dict that Lightning wrote, on the CPU.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is truncated, damaged or no checkpoint.
        UntrustedCheckpointError: it holds more than Lightning needs.
        ValueError: it holds something else than a dict.
    """
    official = load_checkpoint_file(path, 'cpu', extra_globals=LIGHTNING_GLOBALS)
    if not isinstance(official, dict):
        raise ValueError(
            f'it holds a {type(official).__name__}; give the Lightning checkpoint '
            'model.ckpt'
        )
    return official


def convert(
    source: str | Path,
    target: str | Path,
    num_keypoints: int | None = None,
    vgg_target: str | Path | None = None,
) -> dict[str, Any]:
    """Convert one file.

    Args:
        source: the official ``model.ckpt``.
        target: the ``.pth`` file to write; its folder is made.
        num_keypoints: refuse checkpoints of another number of keypoints.
        vgg_target: also write the VGG16 of the perceptual loss, for
            ``PerceptualLoss(weights=...)``.

    Returns:
        The converted checkpoint.

    Raises:
        ValueError: not an official AutoLink checkpoint, or another number of keypoints.
    """
    official = load_official(source)
    try:
        converted = convert_checkpoint(official)
        found = count_keypoints(official['state_dict'])
        if num_keypoints not in (None, found):
            raise ValueError(
                f'it finds {found} keypoints, not {num_keypoints}: set num_keypoints='
                f'{found} in head and generator of the config'
            )
        vgg = extract_vgg(official['state_dict']) if vgg_target else None
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    for path, content in ((target, converted), (vgg_target, vgg)):
        if path:
            write_checkpoint(content, path)
    return converted


def parse_args(arguments: list[str] | None = None) -> Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Convert a checkpoint of the official AutoLink (Lightning) to mmkp.'
    )
    parser.add_argument('source', help='official checkpoint, model.ckpt')
    parser.add_argument('target', help='file to write, .pth')
    parser.add_argument(
        '--num-keypoints', type=int, help='refuse checkpoints of another number'
    )
    parser.add_argument(
        '--vgg-out',
        metavar='FILE',
        help='also write the VGG16 that the checkpoint carries (conv1_1 .. conv4_3), '
        'to be given to PerceptualLoss as weights',
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    args = parse_args(arguments)
    converted = convert(args.source, args.target, args.num_keypoints, args.vgg_out)
    meta = converted['meta']
    keypoints = meta['dataset_meta']['num_keypoints']
    print(f'wrote {args.target}: {keypoints} keypoints, step {meta["iter"]}')
    settings = meta['hyper_parameters']
    if 'thick' in settings:
        print(f'trained with thickness={settings["thick"]}: use it in the generator')
    if args.vgg_out:
        print(f'wrote {args.vgg_out}: VGG16 up to conv4_3')


if __name__ == '__main__':
    run_tool(main)
