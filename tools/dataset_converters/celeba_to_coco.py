# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Turn CelebA's and MAFL's text files into lists and COCO-style annotations.

Reads, anywhere below the root: `list_landmarks_celeba.txt` (or, for aligned images,
`list_landmarks_align_celeba.txt`), `list_eval_partition.txt`, for images in the wild
`list_bbox_celeba.txt`, and MAFL's `training.txt` and `testing.txt`. Writes

* `train.txt`: images for unsupervised training, CelebA's training partition without
  the images that are tested on;
* `mafl_train.json`, `mafl_test.json`: five points of the images to fit and to score on;
  each box is the whole image.

In the wild, all three keep only images whose face box covers at least 30 % of the image
(the protocol of SCOPS that AutoLink and StableKeypoints follow).

    python tools/dataset_converters/celeba_to_coco.py data/celeba --variant wild
"""

import argparse
from pathlib import Path

import numpy as np

from mmkp.datasets.coco_writer import CocoWriter, write_atomically
from mmkp.datasets.image_size import image_size
from mmkp.engine.cli import run_tool
from mmkp.labels import read_names, read_table
from mmkp.labels.table_numbers import NumberReader

NAMES = ('left_eye', 'right_eye', 'nose', 'left_mouth_corner', 'right_mouth_corner')
LINKS = ((0, 2), (1, 2), (2, 3), (2, 4))
VARIANTS = {
    'wild': ('list_landmarks_celeba.txt', 'img_celeba'),
    'aligned': ('list_landmarks_align_celeba.txt', 'img_align_celeba'),
}


def find_file(root: Path, name: str) -> Path:
    """Find a file (or folder) of a given name below a folder.

    Args:
        root: Folder to search, not deeper than three levels.
        name: Name to find.

    Returns:
        The first match in order of depth.

    Raises:
        FileNotFoundError: If there is none.
    """
    if not root.is_dir():
        raise FileNotFoundError(f'{root} is no folder; give that of CelebA and MAFL')
    for depth in ('', '*/', '*/*/'):
        matches = sorted(root.glob(depth + name))
        if matches:
            return matches[0]
    raise FileNotFoundError(f'{name} is not in {root} or the two levels below it')


def read_numbers(path: Path, columns: int) -> dict[str, np.ndarray]:
    """Read a table of CelebA: file name, then numbers; header lines are skipped.

    Args:
        path: Text file whose columns are separated by blanks, or a csv.
        columns: How many numbers follow each file name.

    Returns:
        By file name its numbers (columns,), float.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If a row has another number of columns or a cell that is no
            number, an image is there twice, or there is no row.
    """
    separator = 'comma' if path.suffix == '.csv' else 'blank'
    table = read_table(path, separator, ragged=True)
    read, numbers = NumberReader(table), {}
    for row in table.rows:
        name, *cells = row.cells
        if '.' not in name:
            continue
        if len(cells) != columns:
            raise ValueError(
                f'{table.where(row)}: {len(cells)} numbers after the file name, '
                f'{columns} are expected'
            )
        values = np.array([read(cell, row) for cell in cells])
        if np.isnan(values).any():
            raise ValueError(f'{table.where(row)}: a number is missing')
        if name in numbers and not np.array_equal(numbers[name], values):
            raise ValueError(
                f'{table.where(row)}: {name} is there twice, with other numbers; '
                'remove one of the rows'
            )
        numbers[name] = values
    if not numbers:
        raise ValueError(f'{path} has no rows that begin with the name of an image')
    return numbers


def listed_names(path: Path, points: dict[str, np.ndarray]) -> list[str]:
    """Read the names of a list of MAFL.

    Args:
        path: Text file of one name a line.
        points: By file name its landmarks.

    Returns:
        The names.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it names an image without landmarks.
    """
    names = read_names(path)
    unknown = [name for name in names if name not in points]
    if unknown:
        raise ValueError(
            f'{path} names {len(unknown)} images without landmarks, the first is '
            f'{unknown[0]!r}'
        )
    return names


def large_faces(
    names: list[str], boxes: dict[str, np.ndarray], images: Path, share: float
) -> list[str]:
    """Keep the images whose face box covers a large share of the image.

    Args:
        names: File names.
        boxes: By file name the box (x, y, w, h), pixels.
        images: Folder of the images.
        share: Smallest area of the box over the area of the image.

    Returns:
        The file names kept, in their order.

    Raises:
        ValueError: If an image has no box.
    """
    kept = []
    for name in names:
        if name not in boxes:
            raise ValueError(f'list_bbox_celeba.txt has no box for {name}')
        width, height = image_size(images / name)
        if boxes[name][2] * boxes[name][3] >= share * width * height:
            kept.append(name)
    return kept


def convert(args: argparse.Namespace) -> None:
    """Convert one variant."""
    landmark_file, folder = VARIANTS[args.variant]
    points = read_numbers(find_file(args.root, landmark_file), 10)
    partition = read_numbers(find_file(args.root, 'list_eval_partition.txt'), 1)
    images = find_file(args.root, folder)
    mafl = {
        split: listed_names(find_file(args.root, name), points)
        for split, name in (('train', 'training.txt'), ('test', 'testing.txt'))
    }
    excluded = set(mafl['test'])
    if args.exclude == 'mafl':
        excluded |= set(mafl['train'])
    chosen = {
        'train': [n for n, p in partition.items() if p[0] == 0 and n not in excluded],
        'mafl_train': mafl['train'],
        'mafl_test': mafl['test'],
    }
    if args.variant == 'wild':
        boxes = read_numbers(find_file(args.root, 'list_bbox_celeba.txt'), 4)
        for key, names in chosen.items():
            chosen[key] = large_faces(names, boxes, images, args.min_face)
    lines = '\n'.join(chosen['train']) + '\n'
    write_atomically(args.out / 'train.txt', lines.encode())
    for key in ('mafl_train', 'mafl_test'):
        writer = CocoWriter(key, NAMES, LINKS, 'face')
        for name in chosen[key]:
            size = image_size(images / name)
            writer.add(name, size, points[name].reshape(5, 2))
        writer.write(args.out / f'{key}.json')
    counts = ', '.join(f'{len(names)} {key}' for key, names in chosen.items())
    print(f'{counts} images of {images} -> {args.out}')


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('root', type=Path, help='folder with CelebA and MAFL')
    parser.add_argument('--variant', choices=VARIANTS, default='wild')
    parser.add_argument('--out', type=Path)
    parser.add_argument(
        '--min-face', type=float, default=0.3, help='smallest share of the face box'
    )
    parser.add_argument(
        '--exclude',
        choices=('mafl_test', 'mafl'),
        default='mafl_test',
        help='what unsupervised training may not see',
    )
    args = parser.parse_args(arguments)
    args.out = args.out or Path(f'work_dirs/datasets/celeba_{args.variant}')
    return args


def main() -> None:
    """Run the command line tool."""
    convert(parse_args())


if __name__ == '__main__':
    run_tool(main)
