# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""All that is to be known of an accelerator, in nine minutes and one file.

Runs the tests that need CUDA, times operations and the training step of each method
beside their plain forms, counts operations and synchronizations, decodes a batch of
part affinity maps, and trains LMDIS and AutoLink on CelebA's faces under AMP. Prints
Markdown tables and writes them to a file. What is missing is said and left out.

Examples::

    python tools/benchmarks/accelerator_suite.py --out suite.md
    python tools/benchmarks/accelerator_suite.py --tiny --device cpu
    python tools/benchmarks/accelerator_suite.py --only operations steps
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from accelerator_parts import TRAININGS, decoding, operations, steps, training
from measure import machine

import mmkp  # noqa: F401  registers the models
from mmkp.engine.cli import run_tool

ROOT = Path(__file__).resolve().parents[2]
PARTS = ('tests', 'operations', 'steps', 'decoding', 'training')
#: Seconds that are kept for what comes after a training: its test.
RESERVE = 25


def cuda_tests(device: str, seconds: float) -> Iterator[tuple[str, ...]]:
    """Rows: what pytest says of the tests that need CUDA."""
    yield 'tests', 'result'
    if device == 'cpu':
        yield 'those that need CUDA', 'left out: the device is a CPU'
        return
    command = [sys.executable, '-m', 'pytest', '-m', 'cuda', '-q', str(ROOT / 'tests')]
    try:
        found = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        yield 'those that need CUDA', f'not done after {seconds:.0f} s'
        return
    lines = found.stdout.strip().splitlines() or ['nothing was printed']
    yield 'those that need CUDA', lines[-1]
    for line in lines:
        if line.startswith(('FAILED', 'ERROR')):
            yield 'failed', line


class Report:
    """Prints tables, and keeps them for a file.

    Args:
        path: of the file; None writes none.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.failed = False
        self._lines: list[str] = []

    def tell(self, line: str) -> None:
        """Print a line; the file has all lines at any time."""
        print(line, flush=True)
        self._lines.append(line)
        if self.path is not None:
            self.path.write_text('\n'.join(self._lines) + '\n')

    def table(self, rows: Iterable[tuple[str, ...]]) -> None:
        """Print rows as they come, the first as the head; an error ends the table."""
        self.tell('')
        try:
            for index, row in enumerate(rows):
                self.tell('| ' + ' | '.join(row) + ' |')
                if index == 0:
                    self.tell('|---' * len(row) + '|')
        except Exception as error:  # the other parts are worth their minutes
            self.failed = True
            self.tell(f'\nended by {type(error).__name__}: {error}')


def parse_args(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--only', nargs='+', default=PARTS, choices=PARTS)
    parser.add_argument('--tiny', action='store_true', help='small sizes, for a trial')
    parser.add_argument('--device', help='cuda where there is one, else cpu')
    parser.add_argument('--minutes', type=float, default=9, help='for everything')
    parser.add_argument(
        '--train-minutes', type=float, default=3, help='for each training, at most'
    )
    parser.add_argument('--data-root', type=Path, default=ROOT / 'data' / 'celeba')
    parser.add_argument('--out', type=Path, help='file for the tables')
    args = parser.parse_args(arguments)
    if args.device is None:
        args.device = 'cuda' if torch.cuda.is_available() else 'cpu'
    return args


def main(arguments: list[str] | None = None) -> None:
    """Print the tables.

    Raises:
        SystemExit: a part ended by an error; the others were done.
    """
    args = parse_args(arguments)
    end = time.monotonic() + 60 * args.minutes
    report = Report(args.out)
    report.tell(f'{machine(torch.get_num_threads(), args.device)}, {args.device}')
    trains = 'training' in args.only
    reserve = 0 if args.tiny else RESERVE
    kept = 0.0
    if trains and not args.tiny:
        kept = len(TRAININGS) * (60 * args.train_minutes + reserve)
    parts: dict[str, Callable[[], Iterator[tuple[str, ...]]]] = {
        'tests': lambda: cuda_tests(args.device, end - time.monotonic() - kept),
        'operations': lambda: operations(args.device, args.tiny),
        'steps': lambda: steps(args.device, args.tiny),
        'decoding': lambda: decoding(args.device, args.tiny),
    }
    for name, part in parts.items():
        if name in args.only:
            if time.monotonic() > end - kept and not args.tiny:
                report.tell(f'\n{name}: left out, the time is up')
            else:
                report.table(part())
    if trains:
        left = (end - time.monotonic()) / len(TRAININGS) - reserve
        seconds = min(60 * args.train_minutes, left)
        if not (args.data_root / 'images').is_dir():
            report.tell(f'\ntraining: left out, {args.data_root}/images is missing')
        elif seconds <= 0:
            report.tell('\ntraining: left out, the time is up')
        else:
            report.table(training(args.device, args.tiny, args.data_root, seconds))
    if report.failed:
        sys.exit(1)


if __name__ == '__main__':
    run_tool(main)
