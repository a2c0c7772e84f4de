# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convert tokens that the official StableKeypoints learned to a checkpoint of mmkp.

It writes two files: ``embedding.pt``, the N tokens, and ``indices.pt``, which K of them
are the keypoints. They are loaded without running code from them. Example::

    python tools/model_converters/stable_keypoints_to_mmkp.py \
        embedding.pt indices.pt stable_keypoints.pth \
        --config configs/unsupervised_2d_keypoint/stable_keypoints/celeba/\
stable-keypoints_celeba-aligned-512x512.py

The files do not say which diffusion model the tokens were learned with: the config must
name the same one (the authors took Stable Diffusion 1.5). The order of the keypoints is
kept. ``regressor.pt`` is not needed, ``tools/test.py`` fits its own.
"""

import argparse

from mmkp.converters.conversion import check_target, config_source, write_checkpoint
from mmkp.converters.stable_keypoints import convert_checkpoint
from mmkp.engine.cli import run_tool


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    parser = argparse.ArgumentParser(
        description='Convert tokens of the official StableKeypoints to mmkp.'
    )
    parser.add_argument('embedding', help='learned tokens, embedding.pt')
    parser.add_argument('indices', help='which of them are keypoints, indices.pt')
    parser.add_argument('target', help='file to write, .pth')
    parser.add_argument('--config', help='refuse files that do not fit this config')
    args = parser.parse_args(arguments)
    check_target(args.target)
    converted = convert_checkpoint(args.embedding, args.indices, args.config)
    write_checkpoint(converted, args.target)
    head = config_source(dict(type='TokenHead', **converted['meta']['head']))
    print(
        f'wrote {args.target}: use it with head={head}, with the base_model that the '
        'tokens were learned with, and with test_cfg=dict(untrained_control=False)'
    )


if __name__ == '__main__':
    run_tool(main)
