# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Turn the simplified Human3.6M of the LMDIS release into COCO-style files.

Reads `S<n>/WithBackground/<name>.<suffix>`, `S<n>/BackgroudMask/<name>.<suffix>` (spelt
so in the release) and `S<n>/Landmarks/<name>.mat` with 32 joints as fractions of the
image. Subjects 1, 5, 6, 7, 8 and 9 are for training, 11 for testing; the six actions of
the protocol are kept.

    python tools/dataset_converters/human36m_simplified_to_coco.py data/human36m \
        --remove-background
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from mmkp.datasets.coco_writer import CocoWriter, write_image
from mmkp.datasets.image_decoding import decode_image
from mmkp.datasets.matlab_file import load_variables
from mmkp.engine.cli import run_tool

SUBJECTS = {'train': (1, 5, 6, 7, 8, 9), 'test': (11,)}
ACTIONS = ('Directions', 'Discussion', 'Posing', 'Waiting', 'Greeting', 'Walking')
MASK_FOLDERS = ('BackgroudMask', 'BackgroundMask')
NUM_JOINTS = 32


def read_joints(path: Path) -> np.ndarray:
    """Read the joints of one image.

    Args:
        path: File with one array of 32 x 2 numbers, whatever its name.

    Returns:
        Joints (32, 2), fractions of width and height.

    Raises:
        ValueError: If no array, or more than one, is 32 x 2.
    """
    arrays = [
        value
        for value in load_variables(path).values()
        if np.shape(value) == (NUM_JOINTS, 2)
    ]
    if len(arrays) != 1:
        raise ValueError(f'{path} has {len(arrays)} arrays of 32 x 2 numbers, not 1')
    joints = np.asarray(arrays[0], np.float64)
    if np.nanmax(np.abs(joints), initial=0) > 10:
        raise ValueError(
            f'{path}: the joints reach {np.nanmax(np.abs(joints)):g}, so they are no '
            'fractions of the image'
        )
    return joints


def same_stem(folder: Path, stem: str) -> Path:
    """Find the file of a given stem in a folder.

    Args:
        folder: Folder to look into.
        stem: Name without suffix.

    Returns:
        The file.

    Raises:
        FileNotFoundError: If there is none.
    """
    matches = sorted(folder.glob(f'{stem}.*'))
    if not matches:
        raise FileNotFoundError(f'{folder} has no file {stem}.*')
    return matches[0]


def without_background(image: np.ndarray, subject: Path, stem: str) -> np.ndarray:
    """Blacken the background of an image.

    Args:
        image: BGR image (H, W, 3), uint8.
        subject: Folder of the subject.
        stem: Name of the image without suffix.

    Returns:
        The image with the mask's zero pixels black.

    Raises:
        FileNotFoundError: If there is no mask.
    """
    folders = [subject / name for name in MASK_FOLDERS if (subject / name).is_dir()]
    if not folders:
        raise FileNotFoundError(f'{subject} has no folder {" or ".join(MASK_FOLDERS)}')
    path = same_stem(folders[0], stem)
    mask = decode_image(path.read_bytes(), str(path))
    mask = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return image * (mask > 0).any(2, keepdims=True).astype(np.uint8)


def convert_subject(
    args: argparse.Namespace, subject: Path, writer: CocoWriter
) -> None:
    """Add the images of one subject to an annotation file."""
    landmarks = sorted((subject / 'Landmarks').glob('*.mat'))
    if not landmarks:
        raise FileNotFoundError(f'{subject / "Landmarks"} has no *.mat file')
    for path in landmarks:
        if not path.stem.startswith(tuple(args.actions)):
            continue
        source = same_stem(subject / 'WithBackground', path.stem)
        image = decode_image(source.read_bytes(), str(source))
        name = source.relative_to(args.root)
        if args.remove_background:
            image = without_background(image, subject, path.stem)
            name = Path(subject.name) / f'{path.stem}.png'
            write_image(args.out / 'images' / name, image)
        height, width = image.shape[:2]
        joints = read_joints(path) * [width, height]
        writer.add(name.as_posix(), (width, height), joints)


def convert(args: argparse.Namespace) -> None:
    """Convert both splits."""
    for split, subjects in SUBJECTS.items():
        names = [f'joint_{index}' for index in range(NUM_JOINTS)]
        writer = CocoWriter('human36m_simplified', names, category='person')
        for number in subjects:
            convert_subject(args, args.root / f'S{number}', writer)
        writer.write(args.out / f'{split}.json')
        print(f'{len(writer)} images -> {args.out / split}.json')


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('root', type=Path, help='folder with S1, S5, ... S11')
    parser.add_argument('--out', type=Path)
    parser.add_argument('--actions', nargs='+', default=list(ACTIONS))
    parser.add_argument(
        '--remove-background',
        action='store_true',
        help='write images with a black background below <out>/images',
    )
    args = parser.parse_args(arguments)
    suffix = '_no_background' * args.remove_background
    args.out = args.out or Path(f'work_dirs/datasets/human36m{suffix}')
    return args


def main() -> None:
    """Run the command line tool."""
    convert(parse_args())


if __name__ == '__main__':
    run_tool(main)
