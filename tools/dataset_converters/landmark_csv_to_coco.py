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


def find_images(tables: list[LandmarkTable], folder: Path) -> dict[str, str]:
    """Find the images that tables name.

    Args:
        tables: Their landmarks.
        folder: Folder of the images.

    Returns:
        By name in a table the path below the folder.

    Raises:
        FileNotFoundError: If images are missing.
        ValueError: If two names would be one image.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f'the image folder {folder} does not exist')
    places: dict[str, str] = {}
    for table in tables:
        for entry in table.entries:
            places.setdefault(entry.file_name, f'{table.path}, line {entry.line}')
    found: dict[str, str] = {}
    lost = []
    for name, where in places.items():
        path = find_image(folder, name)
        if path is None:
            lost.append(f'{where}: no image {folder / name}')
        else:
            found[name] = path
    if lost:
        more = f' (and {len(lost) - 1} more)' if len(lost) > 1 else ''
        raise FileNotFoundError(f'{lost[0]}{more}; set --images to the folder above it')
    names = {path: name for name, path in found.items()}
    for name, path in found.items():
        if names[path] != name:
            raise ValueError(
                f'{places[name]}: {name} and {names[path]} would both be the image '
                f'{folder / path}; set --images to the folder that has both'
            )
    ends = [name for name, path in found.items() if name.replace('\\', '/') != path]
    if ends:
        warnings.warn(
            f'{places[ends[0]]}: {len(ends)} images were found by the end of their '
            f'name, the first is {found[ends[0]]}',
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
    images = find_images(tables, args.images)
    names = tables[0].names
    links = read_skeleton(args.project, names) if args.project else []
    writer = CocoWriter(args.out.resolve().parent.name, names, links)
    entries = [(table, entry) for table in tables for entry in table.entries]
    box = args.box or ('whole' if len(entries) == len(images) else 'tight')
    sizes = {name: image_size(args.images / path) for name, path in images.items()}
    outside, largest = [], 0.0
    for table, entry in entries:
        points, size = entry.points, sizes[entry.file_name]
        largest = max(largest, float(np.nanmax(np.abs(points))))
        if args.coordinates == 'fraction':
            points = points * (np.array(size) - 1)
        # Pixel centres are at integers: the picture's edges are at -0.5 and W - 0.5.
        beyond = (points < -0.5) | (points > np.array(size) - 0.5)
        outside += [f'{table.path}, line {entry.line}'] * int(beyond.any(1).sum())
        tight = points_box(points, args.padding) if box == 'tight' else None
        writer.add(images[entry.file_name], size, points, bbox=tight)
    if entries:
        tell_suspicious(outside, largest, args)
    writer.write(args.out)
    print(
        f'{len(writer)} objects in {len(images)} images, box of each: {box}, '
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
