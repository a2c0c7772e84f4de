# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Turn the cat head data set (CAT, Zhang et al., ECCV 2008) into COCO-style files.

Reads pictures in folders `CAT_00`, `CAT_01`, ... with one text file each,
`00000001_000.jpg.cat`: the number of points, which is 9, then their x and y in pixels.
Writes `train.json` and `test.json`, whose file names are relative to the root. The
layout is recalled, not checked against the published archives.

A picture shows more than the head, so each box is a square around the nine points,
1.6 times as wide as they are (`--head-factor`), which takes in cheeks and chin; with
`--box image` it is the whole picture. Pictures whose folder is one of `--test-folders`
are for the test, as are those that `--test-list` names; the split of papers is not
published with the data.

    python tools/dataset_converters/cat_heads_to_coco.py data/cats
"""

import argparse
from pathlib import Path

import numpy as np

from mmkp.datasets.coco_writer import CocoWriter
from mmkp.datasets.image_size import image_size
from mmkp.engine.cli import run_tool
from mmkp.labels import read_names, read_text

LANDMARKS = (
    'left_eye',
    'right_eye',
    'mouth',
    'left_ear_1',
    'left_ear_tip',
    'left_ear_3',
    'right_ear_1',
    'right_ear_tip',
    'right_ear_3',
)
LINKS = ((0, 1), (0, 2), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8))


def read_points(path: Path) -> np.ndarray:
    """Read the points of a `.cat` file.

    Args:
        path: Text file.

    Returns:
        Points (9, 2), float64, (x, y) in pixels.

    Raises:
        ValueError: If the file does not hold a 9 and then as many pairs of numbers.
    """
    words = read_text(path).split()
    try:
        numbers = np.array(words, np.float64)
    except ValueError as error:
        raise ValueError(f'{path} cannot be read: {error}') from error
    count = len(LANDMARKS)
    if len(numbers) != 1 + 2 * count or numbers[0] != count:
        raise ValueError(
            f'{path} holds {len(numbers)} numbers that begin with '
            f'{numbers[:1].tolist()}, a {count} and {count} pairs x y are expected'
        )
    if not np.isfinite(numbers).all():
        raise ValueError(f'{path} holds a number that is not finite')
    return numbers[1:].reshape(count, 2)


def head_box(points: np.ndarray, factor: float) -> list[float]:
    """Return a square around the points, which may leave the picture.

    Args:
        points: Points (9, 2), pixels.
        factor: Side of the square in the longer side of the points' tight box.

    Returns:
        ``x, y, w, h`` in pixels, the first pixel from 0 to 1.

    Raises:
        ValueError: If all points coincide.
    """
    low, high = points.min(0), points.max(0)
    side = factor * float((high - low).max())
    if not side > 0:
        raise ValueError('all nine points are at one place')
    # The centre of pixel 0 is 0.5 from its edge.
    x, y = (low + high) / 2 + 0.5 - side / 2
    return [float(x), float(y), side, side]


def tested_names(names: list[str], folders: list[str], listed: Path | None) -> set[str]:
    """Tell which pictures are for the test.

    Args:
        names: Names of all pictures relative to the root, with `/`.
        folders: Folders of such pictures, where there is no list.
        listed: Text file with one such name a line.

    Returns:
        Their names.

    Raises:
        FileNotFoundError: If the list does not exist.
        ValueError: If the list names other pictures, or a folder has none.
    """
    if listed is None:
        chosen = {name for name in names if Path(name).parts[0] in folders}
        missing = set(folders) - {Path(name).parts[0] for name in chosen}
        if missing:
            raise ValueError(
                f'no picture in {sorted(missing)}: change --test-folders or give '
                '--test-list'
            )
        return chosen
    chosen = set(read_names(listed))
    unknown = sorted(chosen - set(names))
    if unknown:
        raise ValueError(
            f'{listed} names {len(unknown)} pictures that are not below the root or '
            f'have no .cat file, the first is {unknown[0]}'
        )
    return chosen


def find_images(root: Path) -> list[str]:
    """List the pictures that have points and say how many have none.

    Args:
        root: Folder of the folders.

    Returns:
        Names relative to the root, sorted.

    Raises:
        FileNotFoundError: If there is none.
    """
    annotated = {path.with_suffix('') for path in root.rglob('*.jpg.cat')}
    images = set(root.rglob('*.jpg'))
    for what, odd in (
        ('pictures without a .cat file', images - annotated),
        ('.cat files without their picture', annotated - images),
    ):
        if odd:
            print(f'{len(odd)} {what} are left out, the first is {min(odd)}')
    names = sorted(p.relative_to(root).as_posix() for p in annotated & images)
    if not names:
        raise FileNotFoundError(f'no *.jpg with its *.jpg.cat is in {root}')
    return names


def convert(args: argparse.Namespace) -> None:
    """Convert the pictures of all folders."""
    names = find_images(args.root)
    tested = tested_names(names, args.test_folders, args.test_list)
    writers = {
        split: CocoWriter('cat_heads', LANDMARKS, LINKS, 'cat')
        for split in ('train', 'test')
    }
    for name in names:
        points = read_points(args.root / f'{name}.cat')
        size = image_size(args.root / name)
        box = None
        if args.box == 'head':
            try:
                box = head_box(points, args.head_factor)
            except ValueError as error:
                raise ValueError(f'{args.root / name}.cat: {error}') from error
        writer = writers['test' if name in tested else 'train']
        writer.add(name, size, points, bbox=box)
    for split, writer in writers.items():
        if not len(writer):
            raise ValueError(f'no picture for {split}; change --test-folders')
    for split, writer in writers.items():
        writer.write(args.out / f'{split}.json')
        print(f'{split}: {len(writer)} cats -> {args.out / split}.json')


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('root', type=Path, help='folder of CAT_00, CAT_01, ...')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/datasets/cats'))
    parser.add_argument('--box', choices=('head', 'image'), default='head')
    parser.add_argument(
        '--head-factor',
        type=float,
        default=1.6,
        help='side of the square of --box head in the width of the points',
    )
    parser.add_argument('--test-folders', nargs='+', default=['CAT_06'])
    parser.add_argument(
        '--test-list',
        type=Path,
        help='text file of names such as CAT_00/00000001_000.jpg, in place of folders',
    )
    args = parser.parse_args(arguments)
    if not args.head_factor > 0:
        parser.error(f'--head-factor must be positive, got {args.head_factor}')
    return args


def main() -> None:
    """Run the command line tool."""
    convert(parse_args())


if __name__ == '__main__':
    run_tool(main)
