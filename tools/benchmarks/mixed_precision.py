# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compare trainings in float32 with trainings in mixed precision, method by method.

Each method trains on drawn figures from its config for small machines, with a few seeds
in float32 and with the same seeds in mixed precision; nothing has to be downloaded, and
VGG has random weights. A method passes where the means of both differ by no more than
its seeds do: by less than twice the standard error of their difference, or one percent.
Prints a Markdown table, a row as soon as it is known.

Examples::

    python tools/benchmarks/mixed_precision.py
    python tools/benchmarks/mixed_precision.py --methods imm paf --seeds 5 --steps 500
"""

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
import warnings
from typing import NamedTuple

import torch
from measure import machine
from mmengine.config import Config

import mmkp  # noqa: F401  registers the models
from mmkp.engine.cli import run_tool
from mmkp.engine.config import load_config
from mmkp.engine.mixed_precision import DTYPES, use_mixed_precision, usual_dtype
from mmkp.engine.quiet_runner import QuietRunner
from mmkp.engine.runner_options import complete_hooks

NO_FILE = {'model.losses.perceptual.weights': None}
#: Name -> config, figure, what else is set.
METHODS: dict[str, tuple[str, str, dict]] = {
    'autolink': ('autolink-equivariance_puppets-64x64', 'generic/forward', NO_FILE),
    'fse': ('fse-light_puppets-64x64', 'generic/forward', {}),
    'imm': ('imm-equivariance_puppets-64x64', 'generic/forward', NO_FILE),
    'lmdis': ('lmdis-light_puppets-64x64', 'generic/forward', {}),
    'stable-keypoints': (
        'feature-attention_vgg16_puppets-64x64',
        'generic/forward',
        {'model.backbone.backbone.weights': None},
    ),
    'paf': ('openpose_res18-w25_puppets-128x128', 'loss', {}),
    'hourglass': ('hourglass-s1-w64_puppets-64x64', 'PCK@0.2', {}),
}


class Outcome(NamedTuple):
    """What a training has come to."""

    figure: float
    seconds: float  # of its fastest step


def configure(method: str, steps: int, batch: int, seed: int, folder: str) -> Config:
    """The config of a short training."""
    name, _, settings = METHODS[method]
    cfg = load_config(name)
    unique = f'{method}_{seed}_{time.monotonic_ns()}'
    cfg.merge_from_dict(
        {
            'train_cfg.max_iters': steps,
            'train_cfg.val_interval': steps,
            'train_dataloader.batch_size': batch,
            'train_dataloader.num_workers': 0,
            'randomness.seed': seed,
            'experiment_name': unique,
            'visualizer.name': unique,
            'default_hooks.discovery': None,
            'log_level': 'ERROR',
            'work_dir': folder,
            **settings,
        }
    )
    # Fewer than for a figure to be published, as only differences are looked at.
    data = cfg.val_dataloader.dataset
    for part in (data.get('fit'), data.get('score'), data):
        if part and 'num_images' in part:
            part.num_images = 100
    complete_hooks(cfg)
    return cfg


def train(cfg: Config, figure: str) -> Outcome:
    """Train, and take the figure of the last validation, or the last losses' mean."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter('ignore')
        runner = QuietRunner.from_cfg(cfg)
        runner.train()
    scalars = runner.message_hub.log_scalars
    seconds = scalars['train/time'].min(cfg.train_cfg.max_iters)
    if figure == 'loss':
        return Outcome(scalars['train/loss'].mean(50), seconds)
    name = next(key for key in scalars if key.startswith('val/') and figure in key)
    return Outcome(float(scalars[name].current()), seconds)


def row(method: str, args: argparse.Namespace) -> str:
    """Train with all seeds in both precisions; the row of the table."""
    found: dict[str | None, list[Outcome]] = {}
    figure = METHODS[method][1]
    for seed in range(args.seeds):
        for dtype in (None, args.dtype):
            with tempfile.TemporaryDirectory() as folder:
                cfg = configure(method, args.steps, args.batch, seed, folder)
                if dtype is not None:
                    use_mixed_precision(cfg, dtype)
                outcome = train(cfg, figure)
            found.setdefault(dtype, []).append(outcome)
            told = f'{method}, seed {seed}, {dtype or "float32"}: {outcome.figure:.4g}'
            print(told, file=sys.stderr, flush=True)
    plain, mixed = ([o.figure for o in each] for each in found.values())
    difference = statistics.mean(mixed) - statistics.mean(plain)
    deviations = [statistics.stdev(each) for each in (plain, mixed)]
    error = (sum(d**2 for d in deviations) / args.seeds) ** 0.5
    within = abs(difference) <= max(2 * error, 0.01 * abs(statistics.mean(plain)))
    times = [min(o.seconds for o in each) for each in found.values()]
    cells = [method, figure]
    for each, deviation in zip((plain, mixed), deviations, strict=True):
        seeds = ', '.join(f'{value:.4g}' for value in each)
        cells.append(f'{statistics.mean(each):.4g} ± {deviation:.2g} ({seeds})')
    cells += [f'{difference:+.2g}', 'yes' if within else '**no**']
    cells.append(f'{times[0]:.2f} / {times[1]:.2f}')
    return '| ' + ' | '.join(cells) + ' |'


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--methods', nargs='+', choices=METHODS, default=list(METHODS))
    parser.add_argument('--steps', type=int, default=200)
    parser.add_argument('--seeds', type=int, default=3, help='0 to this number - 1')
    parser.add_argument('--batch', type=int, default=4, help='images a step')
    parser.add_argument('--dtype', choices=DTYPES, default=usual_dtype())
    args = parser.parse_args()
    if args.seeds < 2:
        parser.error('--seeds must be at least 2, to see how far they differ')
    print(f'{machine(torch.get_num_threads())}; {args.steps} steps of {args.batch}\n')
    heads = ['method', 'figure', 'float32', args.dtype, 'difference', 'within']
    heads.append('s a step')
    print('| ' + ' | '.join(heads) + ' |\n' + '|---' * len(heads) + '|', flush=True)
    for method in args.methods:
        print(row(method, args), flush=True)


if __name__ == '__main__':
    run_tool(main)
