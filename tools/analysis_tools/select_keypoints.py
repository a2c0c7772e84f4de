# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Choose the best of several trainings, and its best K keypoints, without labels.

    python tools/analysis_tools/select_keypoints.py CONFIG CHECKPOINT [CHECKPOINT ...] \
        --keep 10 --out work_dirs/best [--folder PICTURES]

Checkpoints are of one config, from several seeds. OUT gets a config and `selected.pth`
that predict only the kept keypoints; `mmkp predict` takes them as any others.
"""

import argparse
from functools import partial
from pathlib import Path

from mmkp.apis import rank_trainings, select_keypoints, vgg16_features
from mmkp.apis.spread_images import spread_images
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
    parser.add_argument('checkpoints', nargs='+', metavar='checkpoint')
    parser.add_argument('--folder', help='of images; by default those of the test')
    parser.add_argument('--keep', type=whole_number(1), help='so many keypoints')
    parser.add_argument('--out', type=Path, help='folder for what predicts only those')
    parser.add_argument('--vgg', help="weights of VGG16 in Caffe's order (BGR, .npz)")
    add_score_arguments(parser)
    parser.add_argument('-d', '--device')
    args = parser.parse_args()
    if (args.keep is None) != (args.out is None):
        parser.error('--keep and --out belong together')
    return args


def main() -> None:
    """Rank, and write what is kept."""
    args = parse_args()
    cfg = config_from_arguments(args)
    features = vgg16_features(args.vgg, args.device) if args.vgg else None
    images = partial(spread_images, cfg, args.folder, args.max_images)
    ranked = rank_trainings(
        cfg, args.checkpoints, images(), features, args.device, args.rotation
    )
    for path, scores in ranked:
        print(f'{path}: {scores.sentence()}')
    if args.keep is None:
        return
    path, kept, _ = select_keypoints(
        cfg,
        ranked[0][0],
        images(),
        args.keep,
        args.out,
        features,
        args.device,
        args.rotation,
    )
    print(f'keypoints {kept.tolist()} of {ranked[0][0]} are kept in {path}')


if __name__ == '__main__':
    run_tool(main)
