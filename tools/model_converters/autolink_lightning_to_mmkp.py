# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convert a checkpoint of the official AutoLink to one of mmkp.

The official checkpoints are called ``checkpoints/<run>/model.ckpt``. The file is loaded
without running code from it. Example::

    python tools/model_converters/autolink_lightning_to_mmkp.py model.ckpt autolink.pth
"""

import argparse

from mmkp.converters.autolink import convert_checkpoint, extract_vgg, read_lightning
from mmkp.converters.conversion import convert_file, write_checkpoint
from mmkp.engine.cli import run_tool


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
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
    vgg = {}

    def convert(official: dict) -> dict:
        converted = convert_checkpoint(official, args.num_keypoints)
        if args.vgg_out:
            vgg.update(extract_vgg(official['state_dict']))
        return converted

    meta = convert_file(args.source, args.target, read_lightning, convert)['meta']
    keypoints = meta['dataset_meta']['num_keypoints']
    print(f'wrote {args.target}: {keypoints} keypoints, step {meta["iter"]}')
    settings = meta['hyper_parameters']
    if 'thick' in settings:
        print(f'trained with thickness={settings["thick"]}: use it in the generator')
    if args.vgg_out:
        write_checkpoint(vgg, args.vgg_out)
        print(f'wrote {args.vgg_out}: VGG16 up to conv4_3')


if __name__ == '__main__':
    run_tool(main)
