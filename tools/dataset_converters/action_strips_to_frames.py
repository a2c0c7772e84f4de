# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Cut strips of square frames side by side into one image a frame.

Each strip `<split>/<clip>.jpg` of height H and width n x H becomes
`<out>/<split>/<clip>/0000.png` to `n-1`. The frames need no annotations:
`UnlabeledImageDataset` reads the folder of a split.

    python tools/dataset_converters/action_strips_to_frames.py data/actions
"""

import argparse
import time
from pathlib import Path

from mmkp.datasets.coco_writer import write_image
from mmkp.datasets.image_decoding import decode_image
from mmkp.engine.cli import run_tool


def cut_strip(path: Path, out: Path) -> int:
    """Cut one strip.

    Args:
        path: Image of frames side by side.
        out: Folder for the frames.

    Returns:
        Number of frames written.

    Raises:
        ValueError: If the file is no image, or no whole number of squares wide.
    """
    strip = decode_image(path.read_bytes(), str(path))
    side, width = strip.shape[:2]
    if width % side:
        raise ValueError(
            f'{path} is {width} x {side}: its width is no multiple of its height, so '
            'it is no strip of square frames'
        )
    for index in range(width // side):
        frame = strip[:, index * side : (index + 1) * side]
        # PNG: frames of 64 pixels do not bear a second JPEG compression.
        write_image(out / f'{index:04d}.png', frame)
    return width // side


def convert(root: Path, out: Path, splits: list[str]) -> None:
    """Cut the strips of all splits.

    Args:
        root: Folder with one folder of strips a split.
        out: Folder to write.
        splits: Names of the splits.

    Raises:
        FileNotFoundError: If a split has no folder, or no strip.
    """
    start = time.perf_counter()
    for split in splits:
        strips = sorted((root / split).glob('*.jpg'))
        if not strips:
            raise FileNotFoundError(f'no *.jpg strip in {root / split}')
        frames = sum(cut_strip(path, out / split / path.stem) for path in strips)
        print(
            f'{split}: {frames} frames of {len(strips)} clips -> {out / split} '
            f'({time.perf_counter() - start:.1f} s)'
        )


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('root', type=Path, help='folder with train/ and test/ strips')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/datasets/actions'))
    parser.add_argument('--splits', nargs='+', default=['train', 'test'])
    return parser.parse_args(arguments)


def main() -> None:
    """Run the command line tool."""
    args = parse_args()
    convert(args.root, args.out, args.splits)


if __name__ == '__main__':
    run_tool(main)
