# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Turn Frames Labeled In Cinema into a COCO-style data set with 11 joints.

Reads `examples.mat`: a struct array `examples` with `filepath`, `coords` (2, 29),
`torsobox` (x1, y1, x2, y2), `imgdims` (height, width, ...), `istrain`, `istest` and, in
FLIC-full, `isunchecked`, counted from 1 as in MATLAB; and the pictures in `images/`.
Frames of neither split and unchecked ones are left out. The folder written is complete
in itself: `images/`, `annotations/{train,test}.json`.

The boxes are the crops:

* `--box frame`: a square as high as the picture, centred on the torso's x only, as in
  Newell et al. 2016, section 3.2 (recalled, not checked against the paper);
* `--box torso`: a square around the centre of the torso box, `--torso-factor` times as
  high as that. The factor 3 is this project's choice.

The order of `coords`, its left as the person's, and counting from 1 are MODEC's
conventions as recalled; no copy of FLIC was at hand to check them.

The h5 files of the authors' training code are not read: that would take h5py.

    python tools/dataset_converters/flic_to_coco.py data/flic
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.datasets.coco_writer import CocoWriter, copy_file
from mmkp.datasets.flic_dataset import FLIC_JOINTS, FLIC_LINKS
from mmkp.datasets.image_size import image_size
from mmkp.datasets.matlab_file import load_matlab, number_array
from mmkp.engine.cli import run_tool

NUM_PARTS = 29
# Columns of `coords` in the order of FLIC_JOINTS: both arms, hips, eyes and the nose.
# The order is MODEC's: the arms 0-5, the legs 6-11, the head 12-16, then midpoints.
COLUMNS = (0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16)
FIELDS = ('filepath', 'coords', 'torsobox', 'imgdims', 'istrain', 'istest')


def load_examples(path: Path) -> np.ndarray:
    """Read the struct array.

    Args:
        path: examples.mat.

    Returns:
        The examples (N,), objects with the fields named above.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is not in the format described above.
    """
    examples = np.atleast_1d(
        load_matlab(path, 'examples', struct_as_record=False, squeeze_me=True)
    )
    for index, example in enumerate(examples):
        missing = [field for field in FIELDS if not hasattr(example, field)]
        if missing:
            raise ValueError(f'{path}: example {index + 1} lacks {", ".join(missing)}')
        shapes = [np.shape(example.coords), np.shape(example.torsobox)]
        if shapes != [(2, NUM_PARTS), (4,)]:
            raise ValueError(
                f'{path}: example {index + 1} has coords and torsobox of {shapes[0]} '
                f'and {shapes[1]}, (2, {NUM_PARTS}) and (4,) are expected'
            )
    return examples


def split_of(example: Any) -> str | None:
    """Tell the split of an example.

    Args:
        example: One of ``load_examples``.

    Returns:
        'train', 'test', or ``None`` for one that belongs to neither.
    """
    if np.any(getattr(example, 'isunchecked', False)):
        return None
    if np.any(example.istrain):
        return 'train'
    return 'test' if np.any(example.istest) else None


def crop_box(
    torso: np.ndarray, height: int, box: str = 'frame', torso_factor: float = 3.0
) -> list[float]:
    """Return the square that the network sees, which may leave the picture.

    Args:
        torso: Torso box (4,), the pixels x1, y1, x2, y2 counted from 1.
        height: Height of the picture in pixels.
        box: 'frame' or 'torso'.
        torso_factor: Side of the square in heights of the torso box.

    Returns:
        ``x, y, w, h`` in pixels, the first pixel from 0 to 1.
    """
    x1, y1, x2, y2 = np.asarray(torso, np.float64).tolist()
    # Pixels x1 to x2, counted from 1, lie between the edges x1 - 1 and x2.
    center_x, center_y = (x1 - 1 + x2) / 2, (y1 - 1 + y2) / 2
    side = float(height)
    if box == 'torso':
        side = torso_factor * (y2 - y1 + 1)
    top = center_y - side / 2 if box == 'torso' else 0.0
    return [center_x - side / 2, top, side, side]


def convert(args: argparse.Namespace) -> None:
    """Convert both splits of a folder."""
    path = args.root / 'examples.mat'
    examples = load_examples(path)
    links = [(FLIC_JOINTS.index(a), FLIC_JOINTS.index(b)) for a, b in FLIC_LINKS]
    writers = {
        split: CocoWriter('flic', FLIC_JOINTS, links, 'person')
        for split in ('train', 'test')
    }
    for example in examples:
        split, name = split_of(example), str(example.filepath)
        if split is None:
            continue
        copy_file(args.root / 'images' / name, args.out / 'images' / name)
        width, height = image_size(args.root / 'images' / name)
        stated = np.ravel(number_array(example.imgdims, f'{path}: imgdims of {name}'))
        if stated[:2].tolist() != [height, width]:
            raise ValueError(
                f'{path}: imgdims of {name} are {stated.tolist()}, but the picture has '
                f'{width} x {height} pixels as shown'
            )
        torso = number_array(example.torsobox, f'{path}: torsobox of {name}')
        points = number_array(example.coords, f'{path}: coords of {name}')
        writers[split].add(
            name,
            (width, height),
            points[:, COLUMNS].T - 1,
            bbox=crop_box(torso, height, args.box, args.torso_factor),
            torso_box=(torso - [1, 1, 0, 0]).tolist(),
        )
    if not any(len(writer) for writer in writers.values()):
        raise ValueError(f'{path}: all examples are unchecked or of neither split')
    for split, writer in writers.items():
        if len(writer):
            writer.write(args.out / 'annotations' / f'{split}.json')
        print(f'{split}: {len(writer)} people -> {args.out}')


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        'root', type=Path, help='folder with examples.mat and images/ (FLIC)'
    )
    parser.add_argument('--out', type=Path, default=Path('work_dirs/datasets/flic'))
    parser.add_argument('--box', choices=('frame', 'torso'), default='frame')
    parser.add_argument(
        '--torso-factor',
        type=float,
        default=3.0,
        help='side of the square of --box torso in heights of the torso box',
    )
    args = parser.parse_args(arguments)
    if not args.torso_factor > 0:
        parser.error(f'--torso-factor must be positive, got {args.torso_factor}')
    return args


def main() -> None:
    """Run the command line tool."""
    convert(parse_args())


if __name__ == '__main__':
    run_tool(main)
