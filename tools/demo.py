"""Discover keypoints on drawn figures, from nothing to pictures: `make demo`.

Trains AutoLink for a few minutes on figures that are drawn while it trains, tests it
on figures that it has not seen, prints how well annotated joints follow from the
discovered keypoints, and writes pictures.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner

from mmkp.engine import load_config
from mmkp.engine.cli import run_tool
from mmkp.engine.runner_options import without_validation
from mmkp.visualization.model_pictures import picture_keypoints, spread_indices

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / (
    'configs/unsupervised_2d_keypoint/autolink/puppets/'
    'autolink-equivariance_puppets-64x64.py'
)
ROWS = (
    ('from the discovered keypoints', 'forward'),
    ('from the untrained detector', 'forward_untrained'),
    ('mean pose, whatever the image', 'forward_mean_pose'),
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', default='demo_output', help='folder for the results')
    parser.add_argument('--minutes', type=float, default=4.5, help='training at most')
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def configure(out: Path, seconds: float, seed: int) -> Config:
    """The demo's config: in time, quiet, with its pictures in ``out``."""
    cfg = load_config(CONFIG, work_dir=str(out / 'training'))
    without_validation(cfg)
    cfg.merge_from_dict({'randomness.seed': seed})
    cfg.default_hooks.discovery.out_dir = str(out)
    cfg.default_hooks.time_limit = dict(type='TimeLimitHook', seconds=seconds)
    cfg.default_hooks.progress = dict(type='ProgressHook', seconds=seconds)
    cfg.log_level = 'ERROR'
    return cfg


def draw(runner: Runner, title: str, path: Path) -> None:
    """Write a picture of the keypoints of 24 figures that were never trained on."""
    dataset = runner.test_dataloader.dataset
    batch = pseudo_collate([dataset[i] for i in spread_indices(dataset, 24)])
    picture = picture_keypoints(runner.model, batch, dataset.metainfo, title)
    cv2.imwrite(str(path), np.ascontiguousarray(picture[..., ::-1]))


def print_table(metrics: dict[str, float]) -> None:
    """How far predicted joints lie from the true ones, beside the two controls."""
    values = {key.rsplit('/', 1)[-1]: value for key, value in metrics.items()}
    print('\nMean error of 17 joints regressed linearly, in % of the image side:')
    for name, key in ROWS:
        print(f'  {name:32} {values[key]:6.2f}')


def main() -> None:
    """Train, test, draw, tell."""
    args = parse_args()
    start = time.monotonic()
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    cfg = configure(out, 60 * args.minutes, args.seed)
    runner = Runner.from_cfg(cfg)
    number = cfg.model.head.num_keypoints
    print(f'Discovering {number} keypoints without labels: {CONFIG.stem}', flush=True)
    runner.train()
    print('Testing on 500 figures that were never trained on', flush=True)
    metrics = runner.test()
    title = f'{number} keypoints discovered without labels, iteration {runner.iter}'
    draw(runner, title, out / 'keypoints.png')
    print_table(metrics)
    print('\nPictures:')
    for name, what in (
        ('keypoints.png', 'keypoints and learned edges on 24 figures'),
        ('discovery_test.png', 'what the model sees, finds and rebuilds'),
        ('edge_weights_test.png', 'the learned weight of each edge'),
    ):
        print(f'  {out / name}  {what}')
    print(f'Checkpoints and logs: {out / "training"}')
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    print(f'Elapsed: {minutes} min {seconds} s')


if __name__ == '__main__':
    run_tool(main)
