# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Turn the CUB-200-2011 annotations of CMR into COCO-style files with 15 points.

Reads `{train,val,test}_cub_cleaned.mat`: a struct array `images` with `rel_path`,
`parts` (3, 15: x, y, visible), `bbox` (x1, y1, x2, y2), `width` and `height`, counted
from 1 as in MATLAB. Each file written serves both as annotations (`LandmarkDataset`)
and as boxes for unsupervised training (`UnlabeledImageDataset(bbox_file=...)`).

    python tools/dataset_converters/cub_to_coco.py data/cub --classes 1
"""

import argparse
from pathlib import Path

import numpy as np

from mmkp.datasets.coco_writer import CocoWriter
from mmkp.datasets.image_size import image_size
from mmkp.datasets.matlab_file import load_matlab, number_array
from mmkp.engine.cli import run_tool

FIELDS = ('rel_path', 'parts', 'bbox', 'width', 'height')
NAMES = (
    'back',
    'beak',
    'belly',
    'breast',
    'crown',
    'forehead',
    'left_eye',
    'left_leg',
    'left_wing',
    'nape',
    'right_eye',
    'right_leg',
    'right_wing',
    'tail',
    'throat',
)


def convert_split(path: Path, classes: list[int] | None) -> CocoWriter:
    """Read one annotation file.

    Args:
        path: A `*_cub_cleaned.mat` file.
        classes: Numbers of the bird classes to keep; ``None`` keeps all 200.

    Returns:
        The annotations, with coordinates counted from 0.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is not in the format described above.
    """
    records = load_matlab(path, 'images', struct_as_record=False, squeeze_me=True)
    writer = CocoWriter('cub', NAMES, category='bird')
    for number, image in enumerate(np.atleast_1d(records), 1):
        missing = [field for field in FIELDS if not hasattr(image, field)]
        if missing:
            raise ValueError(f'{path}: image {number} lacks {", ".join(missing)}')
        file_name = str(image.rel_path)
        if classes and class_of(file_name, path) not in classes:
            continue
        where = f'{path}: {file_name}'
        parts = number_array(image.parts, f'{where}: parts')
        if parts.shape != (3, len(NAMES)):
            raise ValueError(
                f'{path}: parts of {file_name} are {parts.shape}, not 3 x 15'
            )
        sides = [getattr(image.bbox, side, None) for side in ('x1', 'y1', 'x2', 'y2')]
        x1, y1, x2, y2 = number_array(sides, f'{where}: bbox').ravel().tolist()
        size = number_array([image.width, image.height], f'{where}: size').ravel()
        width, height = (int(n) for n in size.tolist())
        image_path = path.parent / 'images' / file_name
        if image_path.is_file() and image_size(image_path) != (width, height):
            raise ValueError(
                f'{where}: the size is {width} x {height}, but {image_path} is '
                f'{" x ".join(map(str, image_size(image_path)))} pixels as shown'
            )
        # MATLAB's pixels x1 to x2, counted from 1, are x2 - x1 + 1 pixels.
        writer.add(
            file_name,
            (width, height),
            parts[:2].T - 1,
            parts[2] > 0,
            bbox=(x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1),
        )
    return writer


def class_of(file_name: str, path: Path) -> int:
    """Return the number of the class, with which the name of an image begins."""
    number = file_name.split('.')[0]
    if not number.isdecimal():
        raise ValueError(
            f'{path}: {file_name} does not begin with the number of its class; leave '
            '--classes out'
        )
    return int(number)


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('root', type=Path, help='folder with *_cub_cleaned.mat')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/datasets/cub'))
    parser.add_argument('--classes', type=int, nargs='+', help='such as 1 2 3')
    parser.add_argument('--splits', nargs='+', default=['train', 'val', 'test'])
    return parser.parse_args(arguments)


def convert(args: argparse.Namespace) -> None:
    """Convert all splits."""
    for split in args.splits:
        path = args.root / f'{split}_cub_cleaned.mat'
        writer = convert_split(path, args.classes)
        writer.write(args.out / f'{split}.json')
        print(f'{len(writer)} images -> {args.out / split}.json')


def main() -> None:
    """Run the command line tool."""
    convert(parse_args())


if __name__ == '__main__':
    run_tool(main)
