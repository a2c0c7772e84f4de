# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Score discovered keypoints without any annotation, each by itself.

    python tools/analysis_tools/keypoint_score.py CONFIG CHECKPOINT [FOLDER]

The images are those of the config's test, or of a folder. The score foretells which
share of the mean pose's error a linear map to annotated points would spare.
"""

import argparse
import json
from pathlib import Path

from mmkp.apis import load_model, score_keypoints, vgg16_features
from mmkp.apis.spread_images import spread_images
from mmkp.datasets.coco_writer import write_atomically
from mmkp.engine.cli import (
    add_config_arguments,
    add_score_arguments,
    config_from_arguments,
    run_tool,
    whole_number,
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_config_arguments(parser)
    parser.add_argument('checkpoint')
    parser.add_argument('folder', nargs='?', help='of images, read whole')
    parser.add_argument(
        '--other', help='checkpoint of the same config from another seed or half'
    )
    parser.add_argument(
        '--vgg', help="weights of VGG16 in Caffe's order (BGR, .npz), to compare looks"
    )
    add_score_arguments(parser)
    parser.add_argument('--seed', type=whole_number(0), default=0, help='of the warps')
    parser.add_argument('--out', type=Path, help='json file for the scores')
    parser.add_argument('-d', '--device')
    return parser.parse_args()


def main() -> None:
    """Score and print."""
    args = parse_args()
    cfg = config_from_arguments(args)
    model = load_model(cfg, args.checkpoint, args.device)
    device = str(next(model.parameters()).device)
    scores = score_keypoints(
        model,
        spread_images(cfg, args.folder, args.max_images),
        load_model(cfg, args.other, args.device) if args.other else None,
        vgg16_features(args.vgg, device) if args.vgg else None,
        seed=args.seed,
        rotation_std=args.rotation,
    )
    print(scores.table())
    print(scores.sentence())
    if args.out is not None:
        write_atomically(args.out, json.dumps(scores.to_dict(), indent=1).encode())
        print(f'scores written to {args.out}')


if __name__ == '__main__':
    run_tool(main)
