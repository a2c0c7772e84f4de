# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Turn face crops with 68 landmarks in an npz file into a COCO-style data set.

The folder written is complete in itself: `train/` and `test/` hold the images,
`annotations/{train,test}_{5,68}.json` the landmarks. People never appear on both sides.
MMPose's `Face300WDataset` reads the files of 68 points, and knows which of them a flip
swaps.

    python tools/dataset_converters/faces68_to_coco.py data/faces \
        --align similarity --near-frontal --out work_dirs/datasets/faces_aligned_frontal
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from mmkp.datasets.coco_writer import CocoWriter, write_atomically, write_image
from mmkp.datasets.image_decoding import decode_image
from mmkp.engine.cli import run_tool
from mmkp.labels import numbers_of, read_npz
from mmkp.labels.existing_file import existing_file

# Left and right as they appear in the image, as in CelebA and MAFL.
FIVE_NAMES = (
    'left_eye',
    'right_eye',
    'nose',
    'left_mouth_corner',
    'right_mouth_corner',
)
# Mean places of the five points in CelebA's aligned images of 178 x 218.
CELEBA_FIVE = np.array(
    [[69.5, 111.5], [107.5, 111.5], [88.0, 135.5], [71.0, 152.0], [106.0, 152.0]]
)
CELEBA_CROP = (28.0, 61.0, 122.0)  # left, top, side: the face without the surroundings
PARTS = (range(0, 17), range(17, 22), range(22, 27), range(27, 31), range(31, 36))
RINGS = (range(36, 42), range(42, 48), range(48, 60), range(60, 68))


def five_points(points: np.ndarray) -> np.ndarray:
    """Reduce 68 iBUG landmarks to the five of CelebA and MAFL.

    Args:
        points: Landmarks (N, 68, 2), pixels.

    Returns:
        Eye centres (means of the six eyelid points), nose tip and mouth corners
        (N, 5, 2), the left ones of the image first.
    """
    return np.stack(
        [
            points[:, 36:42].mean(1),
            points[:, 42:48].mean(1),
            points[:, 30],
            points[:, 48],
            points[:, 54],
        ],
        axis=1,
    )


def is_near_frontal(five: np.ndarray, limit: float = 0.25) -> np.ndarray:
    """Tell which faces look roughly into the camera.

    Args:
        five: Points (N, 5, 2), pixels.
        limit: Largest horizontal offset of the nose from the middle of the eyes, in
            distances of the eyes.

    Returns:
        Mask (N,), bool.
    """
    eyes = five[:, :2]
    offset = np.abs(five[:, 2, 0] - eyes[..., 0].mean(1))
    return offset < limit * np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=1)


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Fit scale, rotation and shift by least squares (no reflection).

    Args:
        source: Points (K, 2).
        target: Points (K, 2).

    Returns:
        Matrix (2, 3) that maps source points to target points.
    """
    z, w = source @ [1, 1j], target @ [1, 1j]
    z_mean, w_mean = z.mean(), w.mean()
    z, w = z - z_mean, w - w_mean
    turn = (z.conj() @ w) / (z.conj() @ z).real
    shift = w_mean - turn * z_mean
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    )


def align(
    image: np.ndarray, points: np.ndarray, five: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Bring a face to the place where CelebA's aligned images have it.

    Args:
        image: Image (H, W, 3), uint8.
        points: 68 landmarks (68, 2), pixels.
        five: The five points of the same face (5, 2), pixels.
        size: Side of the result in pixels.

    Returns:
        Image (size, size, 3) and landmarks (68, 2) in its pixels.
    """
    left, top, side = CELEBA_CROP
    target = (CELEBA_FIVE - [left, top]) * (size / side)
    matrix = similarity(five, target)
    # What lies outside of the crop is mirrored: a black corner would tell a network
    # how the face was turned.
    aligned = cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
    )
    return aligned, points @ matrix[:, :2].T + matrix[:, 2]


def face_box(
    points: np.ndarray, size: tuple[int, int], tight: bool
) -> dict[str, list[float] | float]:
    """Describe the box of a face both as COCO and as 300W have it.

    Args:
        points: The 68 landmarks (68, 2), pixels.
        size: Width and height of the image in pixels.
        tight: Whether to take the box of the landmarks, not the whole image.

    Returns:
        ``bbox`` (x, y, w, h), ``center`` (x, y) and ``scale``, the longer side / 200,
        which ``Face300WDataset`` reads in place of the box. In pixels, unpadded.
    """
    low, high = np.zeros(2), np.array(size, np.float64)
    if tight:
        low, high = points.min(0).astype(np.float64), points.max(0).astype(np.float64)
    sides = high - low
    return dict(
        bbox=[*low.tolist(), *sides.tolist()],
        center=((low + high) / 2).tolist(),
        scale=float(sides.max()) / 200,
    )


def links_68() -> list[tuple[int, int]]:
    """Return the links of the 68 iBUG landmarks: contours of the parts of a face."""
    links = [(i, i + 1) for part in (*PARTS, *RINGS) for i in part[:-1]]
    return links + [(ring[-1], ring[0]) for ring in RINGS]


def writer_for(count: int, name: str) -> CocoWriter:
    """Return an empty annotation file for 5 or 68 points."""
    if count == 5:
        links = [(0, 2), (1, 2), (2, 3), (2, 4)]
        return CocoWriter(name, FIVE_NAMES, links, 'face')
    return CocoWriter(name, [f'ibug_{i}' for i in range(68)], links_68(), 'face')


def load_landmarks(root: Path) -> dict[str, np.ndarray]:
    """Read landmarks.npz.

    Args:
        root: Folder with landmarks.npz and images/.

    Returns:
        ``filename`` (N,), ``points`` (N, 68, 2), ``split`` (N,), ``person_id`` (N,).

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If an entry is missing, or a person is in both splits.
    """
    path = root / 'landmarks.npz'
    existing_file(path, 'an .npz file', '; give the folder that holds it')
    wanted = ('filename', 'points', 'split', 'person_id')
    content = read_npz(path, wanted)
    table = {key: content[key] for key in wanted}
    table['points'] = numbers_of(content, 'points', path)
    shapes = [table[key].shape for key in wanted]
    count = shapes[0]
    if len(count) != 1 or shapes != [count, (*count, 68, 2), count, count]:
        raise ValueError(
            f'{path}: {", ".join(wanted)} have the shapes {shapes}; (N,), (N, 68, 2), '
            '(N,) and (N,) are expected'
        )
    people = [set(table['person_id'][table['split'] == s]) for s in ('train', 'test')]
    if people[0] & people[1]:
        raise ValueError(f'{path}: people {people[0] & people[1]} are in both splits')
    return table


def convert(args: argparse.Namespace) -> None:
    """Convert both splits."""
    root = Path(args.root)
    table = load_landmarks(root)
    fives = five_points(table['points'].astype(np.float64))
    chosen = is_near_frontal(fives) if args.near_frontal else np.ones(len(fives), bool)
    start = time.perf_counter()
    for split in ('train', 'test'):
        writers = {k: writer_for(k, args.out.name) for k in args.points}
        indices = np.flatnonzero(chosen & (table['split'] == split))
        for index in indices:
            name, points = str(table['filename'][index]), table['points'][index]
            path = root / 'images' / name
            if not path.is_file():
                raise FileNotFoundError(f'image {path} of landmarks.npz does not exist')
            content = path.read_bytes()
            image = decode_image(content, str(path))
            if args.align == 'similarity':
                image, points = align(image, points, fives[index], args.size)
                name = Path(name).with_suffix('.jpg').name
                write_image(args.out / split / name, image, quality=98)
            else:
                write_atomically(args.out / split / name, content)
            size = (image.shape[1], image.shape[0])
            box = face_box(points, size, args.box == 'tight')
            for count, writer in writers.items():
                shown = five_points(points[None])[0] if count == 5 else points
                person = int(table['person_id'][index])
                writer.add(name, size, shown, person_id=person, **box)
        for count, writer in writers.items():
            writer.write(args.out / 'annotations' / f'{split}_{count}.json')
        print(
            f'{split}: {len(indices)} images -> {args.out / split} '
            f'({time.perf_counter() - start:.1f} s)'
        )


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('root', help='folder with landmarks.npz and images/')
    parser.add_argument(
        '--out', type=Path, help='folder to write (default work_dirs/datasets/faces...)'
    )
    parser.add_argument(
        '--align',
        choices=('none', 'similarity'),
        default='none',
        help="similarity: bring five points to CelebA's places by least squares",
    )
    parser.add_argument('--size', type=int, default=128, help='side of aligned images')
    parser.add_argument(
        '--near-frontal',
        action='store_true',
        help='only faces whose nose is within a quarter eye distance of the middle',
    )
    parser.add_argument(
        '--box',
        choices=('whole', 'tight'),
        default='whole',
        help='whole: the whole image, right for crops; tight: the box of the 68 points',
    )
    parser.add_argument(
        '--points', type=int, nargs='+', choices=(5, 68), default=[5, 68]
    )
    args = parser.parse_args(arguments)
    if args.size < 8:
        parser.error(f'--size must be at least 8, got {args.size}')
    if args.out is None:
        name = 'faces' + '_aligned' * (args.align == 'similarity')
        name += '_frontal' * args.near_frontal + '_tight' * (args.box == 'tight')
        args.out = Path('work_dirs/datasets') / name
    return args


def main() -> None:
    """Run the command line tool."""
    convert(parse_args())


if __name__ == '__main__':
    run_tool(main)
