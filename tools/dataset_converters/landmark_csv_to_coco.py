# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Turn tables of landmarks into a COCO-style file (DeepLabCut, DeepFashion, yours).

Each row names an image and gives its K points: in one column as a list `[[x, y], ...]`,
in columns `x0, y0, x1, y1, ...`, or in columns `nose_x, nose_y, ...`. Tables of
DeepLabCut and Lightning Pose, of one or several animals, are known by their header.
Missing coordinates are empty, NaN or the number given by `--missing`. Several rows of
one image are several objects in it. Tables kept as pickles or HDF5 are not read, since
loading them can run any program; write them as csv first.

    # DeepFashion: fractions of the last pixel; Taichi: pixels, -1 where missing
    python tools/dataset_converters/landmark_csv_to_coco.py data_train.csv \
        --images data/deepfashion/img --file-column filename \
        --coordinates fraction --out work_dirs/datasets/deepfashion/train.json
    python tools/dataset_converters/landmark_csv_to_coco.py taichi_train.csv \
        --images data/taichi/train --missing -1 \
        --out work_dirs/datasets/taichi/train.json
    # A project of DeepLabCut, all its films
    python tools/dataset_converters/landmark_csv_to_coco.py \
        project/labeled-data/*/CollectedData_*.csv --images project \
        --project project/config.yaml --out work_dirs/datasets/project/train.json
"""

import argparse
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmkp.datasets.coco_writer import CocoWriter, points_box
from mmkp.datasets.image_size import image_size
from mmkp.engine.cli import run_tool
from mmkp.labels import (
    SEPARATORS,
    LandmarkTable,
    find_image,
    read_landmarks,
    read_skeleton,
)


def read_tables(args: argparse.Namespace) -> list[LandmarkTable]:
    """Read the tables, which have to be of the same landmarks."""
    options = (args.file_column, args.separator, args.missing, args.min_likelihood)
    tables = [read_landmarks(path, *options) for path in args.tables]
    for table in tables[1:]:
        if table.names != tables[0].names:
            raise ValueError(
                f'{table.path} has the landmarks {", ".join(table.names)}, but '
                f'{tables[0].path} has {", ".join(tables[0].names)}; convert them apart'
            )
    return tables


@dataclass
class Found:
    """Landmarks whose image was found.

    Attributes:
        path: The image below the folder of images.
        points: Landmarks (K, 2), float64, NaN where missing.
        name: The image as the table names it.
        table: File of the table.
        where: File and line, for messages.
    """

    path: str
    points: np.ndarray
    name: str
    table: Path
    where: str


def find_images(tables: list[LandmarkTable], folder: Path) -> list[Found]:
    """Find the images that tables name.

    Args:
        tables: Their landmarks.
        folder: Folder of the images.

    Returns:
        All landmarks of the tables, in their order.

    Raises:
        FileNotFoundError: If images are missing.
        ValueError: If two names, or two tables, would be of one image.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'the image folder {folder} does not exist')
    found, lost, ends = [], [], []
    first: dict[str, Found] = {}
    for table in tables:
        for entry in table.entries:
            where = f'{table.path}, line {entry.line}'
            path = find_image(folder, entry.file_name, table.path.parent)
            if path is None:
                lost.append(f'{where}: no image {folder / entry.file_name}')
                continue
            one = Found(path, entry.points, entry.file_name, table.path, where)
            before = first.setdefault(path, one)
            if (before.name, before.table) != (one.name, one.table):
                raise ValueError(
                    f'{where}: {one.name} would be the image {folder / path}, as '
                    f'{before.name} of {before.where}; give one of two tables that '
                    'repeat each other, and set --images to the folder that has all '
                    'images'
                )
            if entry.file_name.replace('\\', '/') != path:
                ends.append(one)
            found.append(one)
    if lost:
        more = f' (and {len(lost) - 1} more)' if len(lost) > 1 else ''
        raise FileNotFoundError(f'{lost[0]}{more}; set --images to the folder above it')
    if ends:
        warnings.warn(
            f'{ends[0].where}: {len(ends)} images were found by the end of their '
            f'name, the first is {ends[0].path}',
            stacklevel=2,
        )
    return found


def tell_suspicious(
    outside: list[str], largest: float, args: argparse.Namespace
) -> None:
    """Warn of points that are hardly meant as they were read."""
    if outside:
        warnings.warn(
            f'{outside[0]}: {len(outside)} points lie outside of their image, this is '
            'the first; where these are missing, give --missing',
            stacklevel=2,
        )
    if args.coordinates == 'pixels' and largest <= 1:
        warnings.warn(
            'all coordinates are from 0 to 1; if these are fractions of the image, '
            'give --coordinates fraction',
            stacklevel=2,
        )


def convert(args: argparse.Namespace) -> None:
    """Convert the tables."""
    tables = read_tables(args)
    found = find_images(tables, args.images)
    names = tables[0].names
    links = read_skeleton(args.project, names) if args.project else []
    writer = CocoWriter(args.out.resolve().parent.name, names, links)
    sizes = {one.path: image_size(args.images / one.path) for one in found}
    box = args.box or ('whole' if len(found) == len(sizes) else 'tight')
    outside, largest = [], 0.0
    for one in found:
        points, size = one.points, sizes[one.path]
        largest = max(largest, float(np.nanmax(np.abs(points))))
        if args.coordinates == 'fraction':
            points = points * (np.array(size) - 1)
        # Pixel centres are at integers: the picture's edges are at -0.5 and W - 0.5.
        beyond = (points < -0.5) | (points > np.array(size) - 0.5)
        outside += [one.where] * int(beyond.any(1).sum())
        tight = points_box(points, args.padding) if box == 'tight' else None
        writer.add(one.path, size, points, bbox=tight)
    if found:
        tell_suspicious(outside, largest, args)
    writer.write(args.out)
    print(
        f'{len(writer)} objects in {len(sizes)} images, box of each: {box}, '
        f'{len(names)} landmarks ({", ".join(names)}) -> {args.out}'
    )


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        'tables', type=Path, nargs='+', metavar='table', help='csv files'
    )
    parser.add_argument('--images', type=Path, required=True, help='image folder')
    parser.add_argument('--out', type=Path, required=True, help='json file to write')
    parser.add_argument('--file-column', default='file_name')
    parser.add_argument(
        '--separator', choices=SEPARATORS, help='between columns; default: comma'
    )
    parser.add_argument(
        '--coordinates',
        choices=('pixels', 'fraction'),
        default='pixels',
        help='fraction: 1 is the last pixel of the row or column',
    )
    parser.add_argument(
        '--missing',
        type=float,
        default=np.nan,
        help='points with both coordinates of this value are missing',
    )
    parser.add_argument(
        '--min-likelihood',
        type=float,
        default=0.0,
        help='predicted points (DeepLabCut) below it are missing',
    )
    parser.add_argument(
        '--project',
        type=Path,
        metavar='CONFIG.YAML',
        help="DeepLabCut's project file, for the skeleton",
    )
    parser.add_argument(
        '--box',
        choices=('whole', 'tight'),
        help='whole: the whole image (default where each has one object); tight: the '
        'points, enlarged',
    )
    parser.add_argument(
        '--padding', type=float, default=1.25, help='factor of the tight box'
    )
    args = parser.parse_args(arguments)
    if not args.padding >= 1:
        parser.error(f'--padding must be at least 1, got {args.padding}')
    return args


def main() -> None:
    """Run the command line tool."""
    convert(parse_args())


if __name__ == '__main__':
    run_tool(main)
