# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Write the images of MNIST's IDX files, Fashion-MNIST's too, as one PNG each.

Reads `train-images-idx3-ubyte` and `t10k-images-idx3-ubyte`, packed (`.gz`) or not, and
with `--classes` the labels beside them (`train-labels-idx1-ubyte`, ...). Writes
`train/000000.png`, ... and `test/`; each name is the image's place in its file. Images
that are there already stay, so an interrupted run can be repeated.

    python tools/dataset_converters/idx_to_images.py data/mnist
    # Fashion-MNIST: shirts, pullovers, dresses and coats, which have the same parts
    python tools/dataset_converters/idx_to_images.py data/fashion-mnist \
        --classes 0 2 3 4 6 --limit 4000
"""

import argparse
import gzip
import math
import struct
import time
import zlib
from pathlib import Path

import cv2
import numpy as np

from mmkp.datasets.coco_writer import write_atomically
from mmkp.engine.cli import run_tool

SPLITS = {'train': 'train', 'test': 't10k'}
UNSIGNED_BYTE = 0x08


def find_idx(root: Path, name: str) -> Path:
    """Return the path of an IDX file, packed or not.

    Args:
        root: Folder to look into.
        name: Name without `.gz`.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If there is neither.
    """
    for path in (root / name, root / f'{name}.gz'):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f'neither {name} nor {name}.gz is in {root}; give the folder of the IDX files'
    )


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read an IDX file of unsigned bytes.

    Args:
        path: File; one that ends in `.gz` is unpacked.
        dimensions: 3 for images, 1 for labels.

    Returns:
        What the file holds, uint8, for images (n, H, W).

    Raises:
        ValueError: If the file is damaged, of another type or number of dimensions,
            or shorter or longer than its header says.
    """
    try:
        content = path.read_bytes()
        if path.suffix == '.gz':
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f'{path} cannot be unpacked: {error}; get it again') from error
    magic = bytes((0, 0, UNSIGNED_BYTE, dimensions))
    if content[:4] != magic:
        raise ValueError(
            f'{path} begins with {content[:4].hex()}, an IDX file of bytes in '
            f'{dimensions} dimensions with {magic.hex()}'
        )
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise ValueError(f'{path} ends within its header, after {len(content)} bytes')
    shape = struct.unpack(f'>{dimensions}I', content[4:header])
    if math.prod(shape) != len(content) - header:
        raise ValueError(
            f'{path} announces {" x ".join(map(str, shape))} bytes but holds '
            f'{len(content) - header}; get it again'
        )
    if not all(shape):
        raise ValueError(f'{path} is empty: {" x ".join(map(str, shape))}')
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def wanted_images(
    root: Path, stem: str, count: int, classes: list[int] | None, limit: int | None
) -> list[int]:
    """Tell which images to write.

    Args:
        root: Folder of the IDX files.
        stem: Beginning of the split's file names.
        count: Number of images of the split.
        classes: Labels to keep; ``None``: all.
        limit: Keep that many at most, the first ones; ``None``: all.

    Returns:
        Places in the file, ascending.

    Raises:
        ValueError: If there is not one label an image, or none of these classes.
    """
    places = np.arange(count)
    if classes is not None:
        path = find_idx(root, f'{stem}-labels-idx1-ubyte')
        labels = read_idx(path, 1)
        if len(labels) != count:
            raise ValueError(f'{path} has {len(labels)} labels for {count} images')
        places = np.flatnonzero(np.isin(labels, classes))
        if not len(places):
            found = np.unique(labels).tolist()
            raise ValueError(
                f'{path} has no image of --classes {classes}, only {found}'
            )
    return places[:limit].tolist()


def write_images(images: np.ndarray, places: list[int], folder: Path) -> int:
    """Write some of the images, each whole or not at all.

    Args:
        images: Grey images (n, H, W), uint8.
        places: Which of them to write.
        folder: Where to write them; made if needed.

    Returns:
        How many were not there yet.

    Raises:
        ValueError: If other images are in the folder, which a training would read too.
    """
    names = {f'{place:06d}.png': place for place in places}
    others = sorted(p.name for p in folder.glob('*.png') if p.name not in names)
    if others:
        raise ValueError(
            f'{folder} holds {len(others)} images that this would not write, such as '
            f'{others[0]}: remove them or give another --out'
        )
    written = 0
    for name, place in names.items():
        content = cv2.imencode('.png', images[place])[1].tobytes()
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
            written += 1
    return written


def convert(args: argparse.Namespace) -> None:
    """Convert both splits of a folder."""
    start = time.perf_counter()
    for split, stem in SPLITS.items():
        images = read_idx(find_idx(args.root, f'{stem}-images-idx3-ubyte'), 3)
        places = wanted_images(args.root, stem, len(images), args.classes, args.limit)
        written = write_images(images, places, args.out / split)
        print(
            f'{split}: {len(places)} of {len(images)} images, {written} of them new -> '
            f'{args.out / split} ({time.perf_counter() - start:.1f} s)'
        )


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('root', type=Path, help='folder of the IDX files')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/datasets/mnist'))
    parser.add_argument(
        '--classes', type=int, nargs='+', help='labels to keep; default: all'
    )
    parser.add_argument(
        '--limit', type=int, help='images a split at most; default: all'
    )
    args = parser.parse_args(arguments)
    if args.limit is not None and args.limit < 1:
        parser.error(f'--limit must be at least 1, got {args.limit}')
    return args


def main() -> None:
    """Run the command line tool."""
    convert(parse_args())


if __name__ == '__main__':
    run_tool(main)
