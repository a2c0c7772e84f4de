# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Find the left-right pairs of discovered keypoints, without any annotation.

    python tools/analysis_tools/find_sides.py CONFIG CHECKPOINT --out PAIRED.pth

The detector looks at images and at their mirror images; two keypoints that take each
other's places are a pair. The new checkpoint carries them in its metainfo, and files of
predictions then as `flip_indices`. The images are those of the config's test, or of a
folder.
"""

import argparse
import json
from pathlib import Path

import torch

from mmkp.apis import find_sides, load_model
from mmkp.apis.find_sides import metainfo_with_sides
from mmkp.apis.spread_images import spread_images
from mmkp.datasets.coco_writer import write_atomically
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.checkpoint_content import as_checkpoint
from mmkp.engine.cli import (
    add_config_arguments,
    config_from_arguments,
    run_tool,
    whole_number,
)
from mmkp.engine.file_backend import whole_file


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_config_arguments(parser)
    parser.add_argument('checkpoint')
    parser.add_argument('folder', nargs='?', help='of images, read whole')
    parser.add_argument('--max-images', type=whole_number(2), default=200)
    parser.add_argument('--out', type=Path, help='checkpoint that carries the pairs')
    parser.add_argument('--json', type=Path, help='file for the pairs')
    parser.add_argument('-d', '--device')
    return parser.parse_args()


def main() -> None:
    """Find, print and write pairs."""
    args = parse_args()
    cfg = config_from_arguments(args)
    model = load_model(cfg, args.checkpoint, args.device)
    images = spread_images(cfg, args.folder, args.max_images)
    sides = find_sides(model, images)
    print(sides.table())
    print(f'{len(sides.pairs)} pairs: {sides.pairs}')
    if args.json is not None:
        write_atomically(args.json, json.dumps(sides.to_dict(), indent=1).encode())
        print(f'pairs written to {args.json}')
    if args.out is not None:
        content = load_checkpoint_file(args.checkpoint, 'cpu')
        content = as_checkpoint(content, args.checkpoint)
        meta = dict(content.get('meta') or {})
        meta['dataset_meta'] = metainfo_with_sides(model.dataset_meta, sides.partners)
        with whole_file(args.out) as file:
            torch.save(dict(content, meta=meta), file)
        print(f'checkpoint with the pairs written to {args.out}')


if __name__ == '__main__':
    run_tool(main)
