# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convert published weights of OpenPose and of its ports to a checkpoint of mmkp.

What a file holds is found out from the names in it: ``.caffemodel`` of OpenPose (COCO,
MPI, BODY_25), ``body_pose_model.pth``, ``pose_model.pth``, Lightweight OpenPose's
``checkpoint_iter_*.pth``, and torchvision's VGG19, from which training starts. Files
are loaded without running code from them. Examples::

    python tools/model_converters/openpose_to_mmkp.py pose_iter_584000.caffemodel \
        openpose_body25.pth
    python tools/model_converters/openpose_to_mmkp.py checkpoint_iter_370000.pth \
        lightweight.pth --num-refinements 1
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mmkp  # noqa: F401  registers the networks
from mmkp.converters.conversion import config_source, write_checkpoint
from mmkp.converters.openpose.convert import convert_checkpoint, name_blobs
from mmkp.converters.readers.caffemodel import read_caffemodel
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.cli import run_tool
from mmkp.models.backbones.vgg19_weights import INPUTS


def load_official(path: str | Path) -> Mapping[str, Any]:
    """Load a published file safely.

    Args:
        path: a ``.caffemodel``, or a file that ``torch.save`` wrote.

    Returns:
        Names to tensors, or a checkpoint with them in ``state_dict``, on the CPU.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is truncated, damaged or neither of the two.
        UntrustedCheckpointError: it could run code.
        ValueError: it holds something else than a dict.
    """
    if Path(path).suffix == '.caffemodel':
        return name_blobs(read_caffemodel(path))
    official = load_checkpoint_file(path, 'cpu')
    if not isinstance(official, Mapping):
        raise ValueError(f'it holds a {type(official).__name__}, not a state dict')
    return official


def convert(
    source: str | Path,
    target: str | Path,
    num_refinements: int | None = None,
    vgg19_input: str = 'openpose',
) -> dict[str, Any]:
    """Convert one file.

    Args:
        source: the published file.
        target: the ``.pth`` file to write; its folder is made.
        num_refinements: of Lightweight OpenPose, refinement stages to keep.
        vgg19_input: what VGG19 is to be used with, as in :class:`OpenPoseVGG19`.

    Returns:
        The converted checkpoint.

    Raises:
        CheckpointError, FileNotFoundError, UntrustedCheckpointError: as
            :func:`load_official`.
        ValueError: the file holds no weights that can be converted.
    """
    try:
        official = load_official(source)
        converted = convert_checkpoint(official, num_refinements, vgg19_input)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    write_checkpoint(converted, target)
    return converted


def describe(meta: Mapping[str, Any], target: str) -> str:
    """Say what was converted and which config goes with it."""
    lines = [f'wrote {target}: {meta["converted_from"]}']
    backbone, stages = dict(meta['backbone']), meta['stages']
    if stages is None:
        backbone['init_cfg'] = dict(
            type='Pretrained', checkpoint=target, prefix='backbone.'
        )
        return '\n'.join([*lines, f'    backbone={config_source(backbone)},'])
    if dropped := meta['dropped_refinements']:
        lines.append(f'left out the last {dropped} refinement stages of the file')
    sizes = ('in_channels', 'num_keypoints', 'num_fields')
    # The head fills these in, from its own arguments and from the skeleton.
    own = {name: value for name, value in stages.items() if name not in sizes}
    head = dict(type='PartAffinityHead', in_channels=stages['in_channels'], stages=own)
    lines += [
        f'{stages["num_keypoints"]} heatmaps with the background, '
        f'{stages["num_fields"] // 2} limbs; in the config of the model:',
        f'    backbone={config_source(backbone)},',
        f'    head={config_source(head)[:-1]}, decoder=codec),',
    ]
    return '\n'.join(lines)


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Convert weights of OpenPose or Lightweight OpenPose (or '
        "torchvision's VGG19, to train from) to mmkp."
    )
    parser.add_argument('source', help='published file: .caffemodel or .pth')
    parser.add_argument('target', help='file to write, .pth')
    parser.add_argument(
        '--num-refinements',
        type=int,
        help='of Lightweight OpenPose: refinement stages to keep (default: all)',
    )
    parser.add_argument(
        '--vgg19-input',
        choices=INPUTS,
        default='openpose',
        help='of VGG19: what the data preprocessor delivers; openpose (default) is '
        "BGR / 256 - 0.5, imagenet is RGB with ImageNet's mean and deviation",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    args = parse_args(arguments)
    converted = convert(
        args.source, args.target, args.num_refinements, args.vgg19_input
    )
    print(describe(converted['meta'], args.target))


if __name__ == '__main__':
    run_tool(main)
