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
from scipy.io import loadmat

from mmkp.datasets.coco_writer import CocoWriter

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


def convert_split(
    path: Path, classes: list[int] | None, name: str = 'cub'
) -> CocoWriter:
    """Read one annotation file.

    Args:
        path: A `*_cub_cleaned.mat` file.
        classes: Numbers of the bird classes to keep; ``None`` keeps all 200.
        name: Name of the data set.

    Returns:
        The annotations, with coordinates counted from 0.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is not in the format described above.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    content = loadmat(path, struct_as_record=False, squeeze_me=True)
    if 'images' not in content:
        raise ValueError(f'{path} has no struct array "images"')
    writer = CocoWriter(name, NAMES, category='bird')
    for image in np.atleast_1d(content['images']):
        file_name = str(image.rel_path)
        if classes and int(file_name.split('.')[0]) not in classes:
            continue
        parts = np.asarray(image.parts, np.float64)
        if parts.shape != (3, len(NAMES)):
            raise ValueError(
                f'{path}: parts of {file_name} are {parts.shape}, not 3 x 15'
            )
        box = image.bbox
        x1, y1, x2, y2 = (
            float(getattr(box, side)) for side in ('x1', 'y1', 'x2', 'y2')
        )
        # MATLAB's pixels x1 to x2, counted from 1, are x2 - x1 + 1 pixels.
        writer.add(
            file_name,
            (int(image.width), int(image.height)),
            parts[:2].T - 1,
            parts[2] > 0,
            bbox=(x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1),
        )
    return writer


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


if __name__ == '__main__':
    convert(parse_args())
