"""Train two models on drawn figures, from nothing to pictures: `make demo`.

The first discovers keypoints, and the edges between them, without a label. The second,
a network of part affinity fields, learns from labels to find all figures of a group.
Each is trained for a few minutes on figures that are drawn while it trains and tested
on figures that it has not seen; the demo prints what the tests say and writes pictures.
"""

import argparse
import contextlib
import io
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from torch import nn

from mmkp.apis import load_model, predict_people
from mmkp.apis.people_pictures import people_and_maps, people_sheet
from mmkp.engine import find_resumable_checkpoint, load_config
from mmkp.engine.cli import run_tool
from mmkp.engine.runner_options import without_validation
from mmkp.visualization.model_pictures import picture_keypoints, spread_indices

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
DISCOVERY = CONFIGS / (
    'unsupervised_2d_keypoint/lmdis/puppets/lmdis-figure_puppets-64x64.py'
)
GROUPS = CONFIGS / (
    'body_2d_keypoint/openpose/puppets/openpose_res18-w25_puppets-128x128.py'
)
ERRORS = (
    ('from the discovered keypoints', ''),
    ('from the untrained detector', '_untrained'),
    ('mean pose, whatever the image', '_mean_pose'),
)
JOINTS = dict(all='forward', elbows='forward_elbows', wrists='forward_wrists')
PRECISIONS = ('AP', 'AP .5', 'AP .75', 'AR')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', default='demo_output', help='folder for the results')
    parser.add_argument(
        '--minutes',
        type=float,
        default=4.5,
        help='training of the second model at most; the first takes two thirds of it',
    )
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def configure(config: Path, out: Path, minutes: float, seed: int) -> Config:
    """A config for the demo: in time, quiet, with its pictures in ``out``."""
    cfg = load_config(config, work_dir=str(out / 'training' / config.stem))
    without_validation(cfg)
    cfg.merge_from_dict({'randomness.seed': seed})
    seconds = 60 * minutes
    cfg.default_hooks.discovery.out_dir = str(out)
    cfg.default_hooks.time_limit = dict(type='TimeLimitHook', seconds=seconds)
    cfg.default_hooks.progress = dict(type='ProgressHook', seconds=seconds)
    if config == DISCOVERY:  # its schedule ends with the time, on any machine
        cfg.default_hooks.timed_rate = dict(
            type='TimedLearningRateHook', seconds=seconds
        )
        cfg.param_scheduler = None
        cfg.train_cfg.max_iters = 10**6
    cfg.visualizer.name = config.stem
    cfg.log_level = 'ERROR'
    return cfg


def write(path: Path, picture: np.ndarray) -> None:
    """Write a picture, BGR."""
    cv2.imwrite(str(path), np.ascontiguousarray(picture))


def discover_keypoints(cfg: Config, out: Path) -> None:
    """Part one: keypoints without labels."""
    number = cfg.model.head.num_keypoints
    print(
        f'Discovering {number} keypoints without labels: {DISCOVERY.stem}', flush=True
    )
    runner = Runner.from_cfg(cfg)
    runner.train()
    print('Testing on 500 figures that were never trained on', flush=True)
    metrics = test(runner)
    dataset = runner.test_dataloader.dataset
    batch = pseudo_collate([dataset[i] for i in spread_indices(dataset, 24)])
    title = f'{number} keypoints discovered without labels, iteration {runner.iter}'
    picture = picture_keypoints(runner.model, batch, dataset.metainfo, title)
    write(out / 'keypoints.png', picture[..., ::-1])
    print('\nMean error of joints regressed linearly, in % of the image side:')
    print(' ' * 34 + ''.join(f'{name:>8}' for name in JOINTS))
    for name, column in ERRORS:
        values = (metrics[key + column] for key in JOINTS.values())
        print(f'  {name:32}' + ''.join(f'{value:8.2f}' for value in values))
    print(
        f'On the figure lie {metrics["on_object"]:.1f} % of the keypoints '
        f'(untrained: {metrics["on_object_untrained"]:.1f} %)'
    )


def find_people(cfg: Config, out: Path) -> None:
    """Part two: all figures of a group, by heatmaps and part affinity fields."""
    print(f'\nLearning to find all figures of a group: {GROUPS.stem}', flush=True)
    runner = Runner.from_cfg(cfg)
    untrained = test(runner)
    runner.train()
    checkpoint = find_resumable_checkpoint(Path(cfg.work_dir))
    dataset = runner.test_dataloader.dataset
    print(f'Testing on {len(dataset)} images that were never trained on', flush=True)
    # The checkpoint holds the averaged weights, which the runner keeps beside its own.
    rows = {'this network': test(runner, checkpoint), 'the same, untrained': untrained}
    print("\nCOCO's precision and recall of figures with 17 keypoints, in %:")
    print(' ' * 24 + ''.join(f'{key:>8}' for key in PRECISIONS))
    for name, metrics in rows.items():
        values = (max(100 * metrics[key], 0) for key in PRECISIONS)
        print(f'  {name:22}' + ''.join(f'{value:8.1f}' for value in values))
    draw_people(load_model(cfg, checkpoint, 'cpu'), dataset, runner.iter, out)


def draw_people(model: nn.Module, dataset: Any, iteration: int, out: Path) -> None:
    """Write pictures of figures that were found on images never trained on."""
    indices = spread_indices(dataset, 12)
    images = [dataset.get_data_info(index)['img'] for index in indices]
    people = predict_people(model, images, with_maps=True)
    title = f'figures found in groups never trained on, iteration {iteration}'
    write(out / 'people.png', people_sheet(images, people, model, title))
    picture = people_and_maps(images[:4], people[:4], model)
    write(out / 'part_affinity_fields.png', picture)


def test(runner: Runner, checkpoint: Path | None = None) -> dict[str, float]:
    """Test without the tables that COCO's evaluation prints; names without a prefix."""
    with contextlib.redirect_stdout(io.StringIO()):
        if checkpoint is not None:
            runner.load_checkpoint(str(checkpoint))
        metrics = runner.test()
    return {key.rsplit('/', 1)[-1]: value for key, value in metrics.items()}


def main() -> None:
    """Train, test, draw, tell."""
    # These networks are too small to gain from more threads, and two that wait for each
    # other on a busy machine take twenty times as long.
    torch.set_num_threads(1)
    args = parse_args()
    start = time.monotonic()
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    for config, part, share in (
        (DISCOVERY, discover_keypoints, 2 / 3),
        (GROUPS, find_people, 1),
    ):
        part(configure(config, out, share * args.minutes, args.seed), out)
    print('\nPictures:')
    for name, what in (
        ('keypoints.png', 'keypoints and learned edges on 24 figures'),
        ('discovery_test.png', 'what the model sees, finds and rebuilds'),
        ('edge_weights_test.png', 'the learned weight of each edge'),
        ('people.png', 'all figures found in 12 groups'),
        ('part_affinity_fields.png', 'the maps in which they were found'),
    ):
        print(f'  {out / name}  {what}')
    print(f'Checkpoints and logs: {out / "training"}')
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    print(f'Elapsed: {minutes} min {seconds} s')


if __name__ == '__main__':
    run_tool(main)
