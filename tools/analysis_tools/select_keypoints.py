# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Choose the best of several trainings, and its best K keypoints, without labels.

    python tools/analysis_tools/select_keypoints.py CONFIG CHECKPOINT [CHECKPOINT ...] \
        --keep 10 --out work_dirs/best [--folder PICTURES]

Checkpoints are of one config, from several seeds. OUT gets a config and `selected.pth`
that predict only the kept keypoints; `mmkp predict` takes them as any others.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS

from mmkp.apis import rank_trainings, select_keypoints, vgg16_features
from mmkp.engine.cli import (
    add_config_arguments,
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
    parser.add_argument('--max-images', type=whole_number(2), default=200)
    parser.add_argument('-d', '--device')
    args = parser.parse_args()
    if (args.keep is None) != (args.out is None):
        parser.error('--keep and --out belong together')
    return args


def images(cfg: Config, args: argparse.Namespace) -> Iterator[dict]:
    """Images of a folder or of the config's test, evenly spaced."""
    dataset = cfg.test_dataloader.dataset
    if args.folder:
        dataset = dict(
            type='UnlabeledImageDataset',
            data_root=args.folder,
            num_keypoints=cfg.model.head.num_keypoints,
            pipeline=dataset.pipeline,
            test_mode=True,
        )
    built = DATASETS.build(dataset)
    step = -(-len(built) // args.max_images)
    return (built[index] for index in range(0, len(built), step))


def main() -> None:
    """Rank, and write what is kept."""
    args = parse_args()
    cfg = config_from_arguments(args)
    features = vgg16_features(args.vgg, args.device) if args.vgg else None
    ranked = rank_trainings(
        cfg, args.checkpoints, images(cfg, args), features, args.device
    )
    for path, scores in ranked:
        print(f'{path}: {scores.sentence()}')
    if args.keep is None:
        return
    path, kept, _ = select_keypoints(
        cfg,
        ranked[0][0],
        images(cfg, args),
        args.keep,
        args.out,
        features,
        args.device,
    )
    print(f'keypoints {kept.tolist()} of {ranked[0][0]} are kept in {path}')


if __name__ == '__main__':
    run_tool(main)
