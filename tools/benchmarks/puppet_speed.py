# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Measure how many pictures of puppets one core draws in a second.

    python tools/benchmarks/puppet_speed.py

CPU seconds of one thread, best of several rounds; `items` adds what the data set
does about the drawing (annotations, metainfo), without a pipeline.
"""

import argparse
import time
from collections.abc import Callable

import cv2

from mmkp.datasets import PuppetDataset
from mmkp.datasets.puppets import render
from mmkp.engine.cli import run_tool

SETTINGS: tuple[dict, ...] = (
    dict(image_size=64),
    dict(image_size=128),
    dict(image_size=128, background='clutter'),
    dict(image_size=256),
    dict(image_size=256, figures=5),
    dict(image_size=256, figures=5, background='clutter'),
)


def rate(function: Callable[[int], object], count: int, rounds: int) -> float:
    """Calls per CPU second.

    Args:
        function: Called with 0 to count - 1.
        count: Calls a round.
        rounds: Rounds, of which the fastest counts.

    Returns:
        Calls per second of CPU time of this process.
    """
    best = float('inf')
    for _ in range(rounds):
        start = time.process_time()
        for index in range(count):
            function(index)
        best = min(best, time.process_time() - start)
    return count / best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=100, help='pictures a round')
    parser.add_argument('--rounds', type=int, default=3)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    print(f'{"drawn / s":>10} {"items / s":>10}  settings')
    for settings in SETTINGS:
        dataset = PuppetDataset(num_images=args.count, data_mode='bottomup', **settings)
        drawn = rate(
            lambda index, what=dataset.settings: render(what, index),
            args.count,
            args.rounds,
        )
        items = rate(dataset.get_data_info, args.count, args.rounds)
        shown = ', '.join(f'{key}={value}' for key, value in settings.items())
        print(f'{drawn:10.0f} {items:10.0f}  {shown}')


if __name__ == '__main__':
    run_tool(main)
