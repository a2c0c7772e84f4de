# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Kill trainings at random moments, resume them, compare with an uninterrupted one.

``python tests/fault_runs.py [--kills 20] [--seed 0] [--methods lmdis openpose ...]``
prints a table: what was killed, at which steps, and whether weights, optimizer,
schedules and logged losses end with the same bits. Half of the kills wait until a
checkpoint is being written.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmkp.engine import find_resumable_checkpoint, load_checkpoint_file

ROOT = Path(__file__).resolve().parents[1]
# Config, its smallest validation, and how many worker processes read the data.
_FEW = 'val_dataloader.dataset.num_images=4'
_FEW_PAIRS = [
    f'val_dataloader.dataset.{part}.num_images={number}'
    for part, number in (('fit', 24), ('score', 4))
]
METHODS: dict[str, tuple[str, list[str]]] = {
    'autolink': ('autolink-equivariance_puppets-64x64', _FEW_PAIRS),
    'fse': ('fse-light_puppets-64x64', _FEW_PAIRS),
    'imm': ('imm-equivariance_puppets-64x64', _FEW_PAIRS),
    'lmdis': ('lmdis-light_puppets-64x64', _FEW_PAIRS),
    'stable_keypoints': (
        'feature-attention_vgg16_puppets-64x64',
        [
            *_FEW_PAIRS,
            'model.backbone.backbone.weights=None',
            'custom_hooks.0.num_images=4',
        ],
    ),
    'openpose': ('openpose_res18-w25_puppets-128x128', [_FEW]),
    'hourglass': ('hourglass-s1-w64_puppets-64x64', [_FEW]),
}
_STEPS, _INTERVAL = 24, 3


def command(method: str, work: Path, workers: int) -> list[str]:
    """The command line of a short training of a method, which resumes where it can."""
    config, options = METHODS[method]
    options = [
        *options,
        f'train_cfg.max_iters={_STEPS}',
        f'train_cfg.val_interval={_STEPS // 2}',
        f'default_hooks.checkpoint.interval={_INTERVAL}',
        'default_hooks.logger.interval=1',
        'train_dataloader.batch_size=2',
        f'train_dataloader.num_workers={workers}',
        'randomness.seed=0',
    ]
    words = [sys.executable, '-m', 'mmkp', 'train', config, '--work-dir', str(work)]
    return [*words, '--resume', '--cfg-options', *options]


def kill_once(method: str, work: Path, workers: int, how: str, rng: Any) -> int | None:
    """Start or go on, and kill at some moment.

    Args:
        method: of ``METHODS``.
        work: folder of the training.
        workers: processes that read the data.
        how: 'step' for a random moment, 'write' for one at which a checkpoint is
            written.
        rng: of the moment.

    Returns:
        The last step that was logged, None where the training ended before.
    """
    with tempfile.TemporaryFile('w+') as said:
        process = subprocess.Popen(
            command(method, work, workers),
            stdout=said,
            stderr=said,
            cwd=ROOT,
            env=environment(),
            start_new_session=True,
        )
        before = [*work.glob('*/*.log')]
        moment = None
        after = rng.uniform(0, 3)
        while process.poll() is None:
            logs = [path for path in work.glob('*/*.log') if path not in before]
            if moment is None and any('Iter(train)' in p.read_text() for p in logs):
                moment = time.monotonic() + after
            if moment is not None and time.monotonic() >= moment:
                if how == 'step' or [*work.glob('.*.unfinished')]:
                    break
            time.sleep(0.0005 if how == 'write' and moment else 0.01)
        ended = process.poll()
        if ended is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            text = ''.join(p.read_text() for p in work.glob('*/*.log') if p in logs)
            steps = re.findall(r'Iter\(train\) *\[ *(\d+)/', text)
            return int(steps[-1]) if steps else 0
        said.seek(0)
        assert ended == 0, said.read()
        return None


def environment() -> dict[str, str]:
    """One thread, and this checkout."""
    return {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}


def finish(method: str, work: Path, workers: int) -> Path:
    """Train until the end; the last checkpoint."""
    done = subprocess.run(
        command(method, work, workers),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    return work / f'iter_{_STEPS}.pth'


def differences(left: Path, right: Path) -> list[str]:
    """Entries of two checkpoints that are not equal to the bit.

    Weights, averaged weights, optimizer, schedulers, random state and the history of
    losses and rates are compared, times are not.
    """
    first, second = (dict(leaves(load_checkpoint_file(p))) for p in (left, right))
    return [
        name
        for name in first.keys() | second.keys()
        if not same(first.get(name), second.get(name))
    ]


def leaves(value: Any, name: str = '') -> Iterator[tuple[str, Any]]:
    """Values of nested dicts and lists, each with its path."""
    if name == '.meta' or re.search(r'seconds|time|last_ckpt|memory|cfg|eta', name):
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f'{name}.{key}')
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f'{name}.{index}')
    elif hasattr(value, '_log_history'):
        yield name, value._log_history
    else:
        yield name, value


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal to the bit."""
    if isinstance(left, torch.Tensor | np.ndarray):
        left, right = np.asarray(left), np.asarray(right)
        return left.shape == right.shape and left.tobytes() == right.tobytes()
    return left == right or left != left and right != right


def run(method: str, kills: int, folder: Path, seed: int, workers: int = 0) -> dict:
    """Kill a training so often, and compare what it ends with.

    Args:
        method: of ``METHODS``.
        kills: number of kills; a training that ends sooner is begun anew.
        folder: for both trainings.
        seed: of the moments.
        workers: processes that read the data.

    Returns:
        ``steps`` at which it was killed, ``compared`` and ``different`` entries.
    """
    rng = random.Random(f'{method} {seed}')
    whole = finish(method, folder / 'whole', workers)
    steps: list[str] = []
    work, rounds = folder / 'killed0', 0
    finals = []
    while len(steps) < kills:
        how = ('step', 'write')[len(steps) % 2]
        step = kill_once(method, work, workers, how, rng)
        if step is None:
            finals.append(work / f'iter_{_STEPS}.pth')
            rounds += 1
            work = folder / f'killed{rounds}'
            continue
        found = find_resumable_checkpoint(work)
        kept = 0 if found is None else load_checkpoint_file(found)['meta']['iter']
        steps.append(f'{step}{"w" if how == "write" else ""}>{kept}')
    finals.append(finish(method, work, workers))
    different = [name for path in finals for name in differences(whole, path)]
    compared = len(dict(leaves(load_checkpoint_file(whole))))
    return dict(steps=steps, compared=compared * len(finals), different=different)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kills', type=int, default=20, help='in all')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=int, default=2, help='of every other method')
    parser.add_argument('--methods', nargs='+', default=list(METHODS), choices=METHODS)
    args = parser.parse_args()
    methods = args.methods
    print('| method | workers | kills | at step>resumed from (w: in a write) | equal |')
    print('|---|---|---|---|---|', flush=True)
    for number, method in enumerate(methods):
        share = args.kills // len(methods) + (number < args.kills % len(methods))
        workers = args.workers if number % 2 else 0
        with tempfile.TemporaryDirectory() as folder:
            found = run(method, share, Path(folder), args.seed, workers)
        equal = found['compared'] - len(found['different'])
        print(
            f'| {method} | {workers} | {share} | {" ".join(found["steps"])} | '
            f'{equal} of {found["compared"]} |',
            flush=True,
        )
        for name in found['different'][:5]:
            print(f'different: {name}', file=sys.stderr)


if __name__ == '__main__':
    main()
