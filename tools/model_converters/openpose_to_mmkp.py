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
from functools import partial
from typing import Any

import mmkp  # noqa: F401  registers the networks
from mmkp.converters.conversion import config_source, convert_file
from mmkp.converters.openpose import convert_checkpoint, read_official
from mmkp.converters.vgg19 import INPUTS
from mmkp.engine.cli import run_tool


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
    convert = partial(
        convert_checkpoint,
        num_refinements=args.num_refinements,
        vgg19_input=args.vgg19_input,
    )
    converted = convert_file(args.source, args.target, read_official, convert)
    print(describe(converted['meta'], args.target))


if __name__ == '__main__':
    run_tool(main)
