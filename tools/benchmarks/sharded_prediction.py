# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A large folder by one process and by several, which are killed and go on.

    python tools/benchmarks/sharded_prediction.py [--images 10000] [--shards 2]

Draws puppets, predicts them with a model that comes with the package, and prints a
table: files a second by the clock and by the seconds of the CPU, the largest resident
memory of a process, and what the results hold in comparison with that of one process.
Of a busy machine the clock tells little. Each process has one thread.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from mmkp.datasets.puppets import PuppetSettings, render
from mmkp.engine.cli import run_tool

_ROOT = Path(__file__).resolve().parents[2]


class Processes:
    """Processes of one prediction, and what they cost, those that were killed too.

    Args:
        words: of the command of each.
    """

    def __init__(self, words: list[list[str]]) -> None:
        self.words = words
        self.cpu_seconds, self.megabytes, self.seconds, self.kills = 0.0, 0.0, 0.0, 0

    def start(self) -> None:
        """Start all, or let them go on."""
        self._begun = time.perf_counter()
        variables = dict(OMP_NUM_THREADS='1', PYTHONPATH=str(_ROOT))
        command = [sys.executable, '-m', 'mmkp', 'predict']
        self._running = [
            subprocess.Popen(
                [*command, *words],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **variables},
            )
            for words in self.words
        ]

    def kill(self) -> None:
        """Kill those that run, as a machine does that runs out of memory."""
        for process in self._running:
            process.send_signal(signal.SIGKILL)
        self.kills += len(self._running)

    def wait(self) -> list[int]:
        """Wait for their ends: the exit codes."""
        codes = []
        for process in self._running:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            codes.append(process.returncode)
            self.cpu_seconds += used.ru_utime + used.ru_stime
            self.megabytes = max(self.megabytes, used.ru_maxrss / 1024)
        self.seconds += time.perf_counter() - self._begun
        return codes


def draw(folder: Path, number: int) -> Path:
    """Write so many JPEGs, each of which is another, below 100 folders."""
    settings = PuppetSettings(image_size=96, seed=0)
    drawn = [render(settings, index).image for index in range(min(number, 200))]
    rng = np.random.default_rng(0)
    for index in range(number):
        image = drawn[index % len(drawn)]
        moved = np.roll(image, rng.integers(-8, 9, 2), (0, 1))
        path = folder / f'{index % 100:02d}' / f'{index:06d}.jpg'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), moved)
    return folder


def first(folder: Path, number: int, images: Path) -> Path:
    """A folder with links to the first of some images."""
    for path in sorted(images.glob('*/*'), key=lambda path: path.name)[:number]:
        link = folder / path.relative_to(images)
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, link)
    return folder


def predict(source: Path, out: Path, model: str, shards: int, kills: int = 0) -> tuple:
    """Predict by several processes, or by one that knows no shards.

    Args:
        source: folder of images.
        out: folder of the result.
        model: that comes with the package.
        shards: number of processes; 0 for one without shards.
        kills: so often all are killed, each time when they have predicted some more.

    Returns:
        The processes, and the records that were there at each kill.
    """
    words = [model, str(source), '-o', str(out), '--draw', 'none', '-d', 'cpu']
    each = [[*words, '--shard', f'{index}/{shards}'] for index in range(shards)]
    processes, rng = Processes(each or [words]), random.Random(0)
    number = sum(1 for _ in source.glob('*/*'))
    moments = sorted(rng.randrange(number * 9 // 10) for _ in range(kills))
    at = []
    for moment in moments:
        processes.start()
        while num_lines(out) < moment + 1:
            time.sleep(0.001)
        processes.kill()
        processes.wait()
        at.append(num_lines(out))
    processes.start()
    codes = processes.wait()
    if any(codes):
        raise RuntimeError(f'{each or words} ended with {codes}')
    return processes, at


def num_lines(out: Path) -> int:
    """Records that are there by now."""
    paths = out.glob('shards/*/keypoints.jsonl')
    return sum(path.read_bytes().count(b'\n') for path in paths)


def row(title: str, number: int, processes: Processes) -> str:
    """A row of the table of costs."""
    rate, cpu = number / processes.seconds, 1000 * processes.cpu_seconds / number
    return (
        f'| {title} | {number} | {processes.kills} | {rate:.1f} | {cpu:.2f} | '
        f'{processes.megabytes:.0f} |'
    )


def compared(out: Path, whole: Path, source: Path) -> str:
    """What a result holds, beside that of one process and the files of the source."""
    images, expected = (
        json.loads((folder / 'keypoints.json').read_text())['images']
        for folder in (out, whole)
    )
    files = {path.relative_to(source).as_posix() for path in source.glob('*/*')}
    names = Counter(record['image'] for record in images)
    twice = sum(count - 1 for count in names.values())
    equal = sum(one == other for one, other in zip(images, expected, strict=False))
    return (
        f'{len(images)} records of {len(files)} files: {twice} twice, '
        f'{len(files - names.keys())} missing, {equal} equal and in the same place'
    )


def main() -> None:
    """Draw, predict, kill, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, default=10_000)
    parser.add_argument('--shards', type=int, default=2)
    parser.add_argument('--kills', type=int, default=8, help='of all shards')
    parser.add_argument('--model', default='puppets-lmdis')
    parser.add_argument('--work', help='folder to work in, a temporary one by default')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work) as folder:
        work = Path(folder)
        images, few = draw(work / 'all', args.images), args.images // 10
        some = first(work / 'some', few, images)
        print('| processes | files | kills | files / s | CPU ms / file | peak MB |')
        print('|---|---|---|---|---|---|', flush=True)
        for source, number in ((some, few), (images, args.images)):
            for shards, title in ((0, '1'), (args.shards, f'{args.shards} shards')):
                out = work / f'{source.name}-{shards}'
                cost, _ = predict(source, out, args.model, shards)
                print(row(title, number, cost), flush=True)
        out = work / 'killed'
        cost, at = predict(images, out, args.model, args.shards, args.kills)
        print(row(f'{args.shards} shards', args.images, cost), flush=True)
        print(f'\nkilled at {", ".join(map(str, at))} records')
        for folder in (work / f'all-{args.shards}', out):
            print(f'{folder.name}: {compared(folder, work / "all-0", images)}')


if __name__ == '__main__':
    run_tool(main)
