# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Turn Leeds Sports Pose (Extended) into a COCO-style data set with 14 joints.

The layout is told by the annotation file in the folder:

* `joints.npz`: crops of one person each; `filename`, `joints` (N, 14, 2) counted from
  0, `split` ('train' or 'test');
* `joints.mat` (3, 14, N): the official LSP; the first half trains, the rest tests
  (1,000 each);
* `joints.mat` (14, 3, N): the official LSP Extended; everything trains.

The pictures lie in `images/`. Coordinates of the official files are counted from 1.
The folder written is complete in itself: `images/`, `annotations/{train,test}.json`.

    python tools/dataset_converters/lsp_to_coco.py data/lspet
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmkp.datasets.coco_writer import CocoWriter, copy_file, points_box
from mmkp.datasets.image_size import image_size
from mmkp.datasets.lsp_dataset import LSP_JOINTS, LSP_LINKS
from mmkp.datasets.matlab_file import load_matlab, number_array
from mmkp.engine.cli import run_tool
from mmkp.labels import numbers_of, read_npz

NUM_JOINTS = len(LSP_JOINTS)
# Names in joints.npz: 'r_ankle' for 'right_ankle'.
SHORT_NAMES = [
    name.replace('right_', 'r_').replace('left_', 'l_') for name in LSP_JOINTS
]


@dataclass
class LspTable:
    """Annotations of either layout.

    Attributes:
        file_names: Names of the N pictures below `images/`.
        joints: Positions (N, 14, 2), float64, pixels counted from 0.
        labeled: Which joints have a position (N, 14), bool.
        split: 'train' or 'test' (N,).
    """

    file_names: list[str]
    joints: np.ndarray
    labeled: np.ndarray
    split: np.ndarray


def load_crops(path: Path) -> LspTable:
    """Read the joints of crops.

    Args:
        path: joints.npz.

    Returns:
        The annotations; joints that are not finite are unlabelled.

    Raises:
        ValueError: If an entry is missing, of another shape or in another order.
    """
    content = read_npz(path, ('filename', 'joints', 'split'))
    names, split = list(map(str, content['filename'])), content['split']
    joints = numbers_of(content, 'joints', path)
    order = content.get('joint_names', np.array(SHORT_NAMES)).tolist()
    if joints.shape != (len(names), NUM_JOINTS, 2) or split.shape != (len(names),):
        raise ValueError(
            f'{path}: joints are {joints.shape} and split is {split.shape} for '
            f'{len(names)} names; (N, {NUM_JOINTS}, 2) and (N,) are expected'
        )
    if order != SHORT_NAMES:
        raise ValueError(f'{path}: joint_names are {order}, expected {SHORT_NAMES}')
    return LspTable(names, joints, np.isfinite(joints).all(-1), split)


def load_official(path: Path, images: Path) -> LspTable:
    """Read the official annotations, counted from 1.

    LSP gives every joint a position; its third row tells whether it is occluded, which
    COCO-style training ignores. In LSP Extended the third column is 0 where a joint has
    no position. Both meanings are recalled; no copy of the files was at hand.

    Args:
        path: joints.mat.
        images: Folder of the pictures `im0001.jpg` or `im00001.jpg`, and so on.

    Returns:
        The annotations.

    Raises:
        ValueError: If the file has no array of either shape, or `images` another
            number of pictures.
    """
    content = load_matlab(path, 'joints')
    shape = content.shape
    if content.ndim != 3 or NUM_JOINTS not in shape[:2]:
        raise ValueError(
            f'{path}: "joints" is {shape}; (3, 14, N) of LSP or (14, 3, N) of LSP '
            'Extended is expected'
        )
    extended = shape[0] == NUM_JOINTS
    if shape[1 if extended else 0] != 3:
        raise ValueError(f'{path}: "joints" is {shape}, with 3 numbers of each joint')
    table = content.transpose(2, 0, 1) if extended else content.transpose(2, 1, 0)
    table = number_array(table, f'{path}: joints')
    names = sorted(entry.name for entry in images.glob('im*.jpg'))
    if len(names) != len(table):
        raise ValueError(
            f'{images} has {len(names)} pictures im*.jpg, {path} has {len(table)}'
        )
    labeled = np.isfinite(table[..., :2]).all(-1)
    if extended:
        labeled &= table[..., 2] > 0
    split = np.full(len(table), 'train', '<U5')
    if not extended:
        split[len(table) // 2 :] = 'test'
    return LspTable(names, table[..., :2] - 1, labeled, split)


def load_table(root: Path) -> LspTable:
    """Read the annotations of a folder in any of the layouts.

    Args:
        root: Folder with joints.npz or joints.mat, and images/.

    Returns:
        The annotations.

    Raises:
        FileNotFoundError: If there is no annotation file.
        ValueError: If it is not as described above.
    """
    if (root / 'joints.npz').is_file():
        return load_crops(root / 'joints.npz')
    if (root / 'joints.mat').is_file():
        return load_official(root / 'joints.mat', root / 'images')
    raise FileNotFoundError(
        f'{root} has neither joints.npz nor joints.mat; give the folder that holds it'
    )


def add_image(
    writer: CocoWriter, table: LspTable, index: int, args: argparse.Namespace
) -> None:
    """Add one picture to an annotation file, and copy it.

    Args:
        writer: File to add to.
        table: Annotations.
        index: Number of the picture.
        args: ``root``, ``out``, ``box`` and ``padding`` of the command line.

    Raises:
        FileNotFoundError: If the picture does not exist.
        ValueError: If it cannot be decoded.
    """
    name = table.file_names[index]
    path = args.root / 'images' / name
    copy_file(path, args.out / 'images' / name)
    size = image_size(path)
    points = table.joints[index]
    # Pixel centres are at integers: the edges of the picture are at -0.5 and W - 0.5.
    inside = ((points >= -0.5) & (points < np.array(size) - 0.5)).all(-1)
    shown = table.labeled[index] & inside
    tight = args.box == 'tight' and shown.any()
    box = points_box(points[shown], args.padding) if tight else None
    writer.add(name, size, points, shown, bbox=box)


def convert(args: argparse.Namespace) -> None:
    """Convert all splits of a folder."""
    table = load_table(args.root)
    links = [(LSP_JOINTS.index(a), LSP_JOINTS.index(b)) for a, b in LSP_LINKS]
    for split in ('train', 'test'):
        indices = np.flatnonzero(table.split == split)
        if not len(indices):
            continue
        writer = CocoWriter(args.out.name, LSP_JOINTS, links, 'person')
        for index in indices:
            add_image(writer, table, int(index), args)
        path = args.out / 'annotations' / f'{split}.json'
        writer.write(path)
        joints = sum(a['num_keypoints'] for a in writer.content['annotations'])
        print(f'{split}: {len(writer)} people, {joints} joints -> {path}')


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        'root', type=Path, help='folder with joints.npz or joints.mat, and images/'
    )
    parser.add_argument(
        '--out', type=Path, help='folder to write (default work_dirs/datasets/<root>)'
    )
    parser.add_argument(
        '--box',
        choices=('whole', 'tight'),
        default='whole',
        help='whole: the whole picture, right for crops; tight: the joints, enlarged',
    )
    parser.add_argument(
        '--padding', type=float, default=1.35, help='factor of the tight box'
    )
    args = parser.parse_args(arguments)
    if args.padding < 1:
        parser.error(f'--padding must be at least 1, got {args.padding}')
    if args.out is None:
        args.out = Path('work_dirs/datasets') / args.root.resolve().name
    return args


def main() -> None:
    """Run the command line tool."""
    convert(parse_args())


if __name__ == '__main__':
    run_tool(main)
