# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images a second of our reader, and of OpenCV's plain ``imread`` right beside it.

Both read the same files in turn, drawn in several formats and sizes, or those of a
folder. On a shared machine compare the ratios, by CPU seconds, of two commits.

Examples::

    python tools/benchmarks/image_reading.py
    python tools/benchmarks/image_reading.py --folder data/faces --repeats 3
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from mmkp.datasets.image_files import find_images
from mmkp.datasets.transforms import LoadVerifiedImage
from mmkp.engine.cli import run_tool

FORMATS = ('.jpg', '.png', '.webp', '.bmp', '.tif')
SIZES = ((64, 64), (256, 256), (640, 480), (1920, 1080))


def draw(folder: Path, number: int) -> dict[str, list[str]]:
    """Write images as smooth as photographs; files by format and size."""
    rng = np.random.default_rng(0)
    groups: dict[str, list[str]] = {}
    for suffix in FORMATS:
        for width, height in SIZES:
            files = groups.setdefault(f'{suffix[1:]} {width}x{height}', [])
            for index in range(number):
                small = rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)
                image = cv2.resize(
                    small, (width, height), interpolation=cv2.INTER_CUBIC
                )
                image = cv2.add(image, rng.integers(0, 8, image.shape, dtype=np.uint8))
                files.append(str(folder / f'{width}_{index}{suffix}'))
                cv2.imwrite(files[-1], image)
    return groups


def seconds(read: Callable[[str], object], file: str) -> float:
    """CPU seconds of reading a file once."""
    start = time.process_time()
    read(file)
    return time.process_time() - start


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--folder', type=Path, help='of images, instead of drawn ones')
    parser.add_argument('--number', type=int, default=6, help='of images of a kind')
    parser.add_argument(
        '--repeats', type=int, default=15, help='the best of which counts'
    )
    args = parser.parse_args()
    cv2.setNumThreads(1)
    load = LoadVerifiedImage()
    readers = (lambda file: load(dict(img_path=file)), cv2.imread)
    with tempfile.TemporaryDirectory() as folder:
        if args.folder:
            names = find_images(str(args.folder))[: 20 * args.number]
            groups = {args.folder.name: [str(args.folder / name) for name in names]}
        else:
            groups = draw(Path(folder), args.number)
        print(f'{"":20}{"mmkp images/s":>15}{"imread images/s":>17}{"time ratio":>12}')
        for name, files in groups.items():
            best = np.full((len(files), 2), np.inf)
            for _ in range(args.repeats):
                for row, file in enumerate(files):
                    now = [seconds(read, file) for read in readers]
                    best[row] = np.minimum(best[row], now)
            ours, plain = best.sum(0)
            rates = f'{len(files) / ours:15.0f}{len(files) / plain:17.0f}'
            print(f'{name:20}{rates}{ours / plain:12.3f}')


if __name__ == '__main__':
    run_tool(main)
