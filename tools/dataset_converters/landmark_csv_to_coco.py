# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Turn a csv table of landmarks into a COCO-style file (DeepFashion, Taichi, yours).

Each row names an image and gives its K points, either in one column as a list
`[[x, y], ...]`, or in columns `x0, y0, x1, y1, ...`. Missing coordinates are empty, NaN
or the number given by `--missing`. Tables kept as pickles are not read, since loading a
pickle can run any program; write them as csv with pandas first.

    # DeepFashion: fractions of the last pixel; Taichi: pixels, -1 where missing
    python tools/dataset_converters/landmark_csv_to_coco.py data_train.csv \
        --images data/deepfashion/img --file-column filename \
        --coordinates fraction --out work_dirs/datasets/deepfashion/train.json
    python tools/dataset_converters/landmark_csv_to_coco.py taichi_train.csv \
        --images data/taichi/train --missing -1 \
        --out work_dirs/datasets/taichi/train.json
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image

from mmkp.datasets.coco_writer import CocoWriter


def read_points(row: dict[str, str], where: str) -> np.ndarray:
    """Read the points of one row.

    Args:
        row: Text of each column.
        where: File and line for messages.

    Returns:
        Points (K, 2), float, NaN where missing.

    Raises:
        ValueError: If there are no points, or they are no numbers.
    """
    try:
        if row.get('keypoints'):
            points = np.array(json.loads(row['keypoints']), np.float64)
            return points.reshape(-1, 2)
        values = []
        while f'x{len(values)}' in row:
            pair = (row[f'{axis}{len(values)}'] or 'nan' for axis in 'xy')
            values.append([float(text) for text in pair])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{where}: the points cannot be read: {error!r}') from error
    if not values:
        raise ValueError(f'{where}: neither a column keypoints nor x0, y0, ...')
    return np.array(values)


def convert(args: argparse.Namespace) -> None:
    """Convert one table."""
    if not args.table.is_file():
        raise FileNotFoundError(f'{args.table} does not exist')
    with args.table.open(newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    if not rows or args.file_column not in rows[0]:
        columns = ', '.join(rows[0]) if rows else 'no rows'
        raise ValueError(
            f'{args.table} has no column {args.file_column} (it has {columns}); set '
            '--file-column'
        )
    writer = None
    for number, row in enumerate(rows, 2):
        points = read_points(row, f'{args.table}, line {number}')
        points[points == args.missing] = np.nan
        name = row[args.file_column]
        path = args.images / name
        if not path.is_file():
            raise FileNotFoundError(f'{args.table}, line {number}: no image {path}')
        with Image.open(path) as image:
            size = image.size
        if args.coordinates == 'fraction':
            points *= np.array(size) - 1
        if writer is None:
            landmarks = [f'point_{index}' for index in range(len(points))]
            writer = CocoWriter(args.out.parent.name, landmarks)
        writer.add(name, size, points)
    writer.write(args.out)
    print(f'{len(writer)} images -> {args.out}')


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('table', type=Path, help='csv file')
    parser.add_argument('--images', type=Path, required=True, help='image folder')
    parser.add_argument('--out', type=Path, required=True, help='json file to write')
    parser.add_argument('--file-column', default='file_name')
    parser.add_argument(
        '--coordinates',
        choices=('pixels', 'fraction'),
        default='pixels',
        help='fraction: 1 is the last pixel of the row or column',
    )
    parser.add_argument('--missing', type=float, default=np.nan)
    return parser.parse_args(arguments)


if __name__ == '__main__':
    convert(parse_args())
