# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Measure how fast keypoints become heatmaps of Stacked Hourglass.

``HourglassHeatmap`` is measured beside MMPose's ``MSRAHeatmap``, each in a process of
its own, with the same seeded random keypoints. Use CPU seconds on a shared machine.

Example::

    python tools/benchmarks/hourglass_encoding.py
"""

import argparse
import platform
from collections.abc import Callable

import numpy as np
from measure import measure
from mmpose.registry import KEYPOINT_CODECS

import mmkp  # noqa: F401  registers the codecs
from mmkp.engine.cli import run_tool

CODECS = ('HourglassHeatmap', 'MSRAHeatmap')


def prepare(
    codec: str, keypoints: int, cells: int, images: int
) -> Callable[[], np.ndarray]:
    """Prepare to encode people.

    Args:
        codec (str): one of ``CODECS``.
        keypoints (int): keypoints K.
        cells (int): width and height of the maps; four pixels each.
        images (int): images a call, of one person each.

    Returns:
        Callable: returns the last image's heatmaps, (K, cells, cells) float32.
    """
    side = 4 * cells
    sizes = dict(input_size=(side, side), heatmap_size=(cells, cells))
    encoder = KEYPOINT_CODECS.build(dict(type=codec, sigma=1.0, **sizes))
    random = np.random.default_rng(0)
    people = random.uniform(0, side, (images, 1, keypoints, 2)).astype(np.float32)
    visible = np.ones((1, keypoints), np.float32)

    def call() -> np.ndarray:
        for person in people:
            heatmaps = encoder.encode(person, visible)['heatmaps']
        return heatmaps

    return call


def main(arguments: list[str] | None = None) -> None:
    """Print a table of costs."""
    parser = argparse.ArgumentParser(
        description='Measure how fast keypoints become heatmaps of Stacked Hourglass.'
    )
    parser.add_argument('--keypoints', type=int, default=16)
    parser.add_argument('--cells', type=int, default=64, help='side of the maps')
    parser.add_argument('--images', type=int, default=200, help='images a timed call')
    parser.add_argument('--repeats', type=int, default=5)
    args = parser.parse_args(arguments)
    print(
        f'{platform.machine()}, 1 thread: {args.keypoints} keypoints, {args.cells} x '
        f'{args.cells} maps, median of {args.repeats} times {args.images} images\n\n'
        '| codec | images/s CPU | CPU ms/image | wall ms/image |\n|---|---:|---:|---:|'
    )
    for codec in CODECS:
        case = (codec, args.keypoints, args.cells, args.images)
        cost = measure(prepare, case, args.repeats, threads=1)
        cpu, wall = cost.cpu_s / args.images, cost.wall_s / args.images
        print(
            f'| {codec} | {1 / cpu:.0f} | {cpu * 1e3:.3f} | {wall * 1e3:.3f} |',
            flush=True,
        )


if __name__ == '__main__':
    run_tool(main)
