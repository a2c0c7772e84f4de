# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""List the damaged images of a folder: truncated files, and files that are no image.

    python tools/misc/find_corrupt_images.py data/photos > damaged.txt

File names go to the standard output, one a line, reasons to the standard error. The
exit status is 1 if there are any.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

from mmkp.datasets.image_decoding import CorruptImageError, decode_image
from mmkp.datasets.image_files import find_images
from mmkp.engine.cli import run_tool, whole_number


def reason(path: Path) -> str | None:
    """Return what is wrong with an image file, or ``None``."""
    try:
        decode_image(path.read_bytes(), str(path))
    except (CorruptImageError, OSError) as error:
        return str(error)
    return None


def main(arguments: list[str] | None = None) -> int:
    """Examine a folder.

    Args:
        arguments: Command line; ``None`` takes that of the process.

    Returns:
        1 if an image is damaged, else 0.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--pattern', help='glob pattern below the folder')
    parser.add_argument(
        '--workers', type=whole_number(1), default=4, help='files read at once'
    )
    args = parser.parse_args(arguments)
    names = find_images(str(args.folder), pattern=args.pattern)
    cv2.setNumThreads(1)
    damaged = 0
    with ThreadPoolExecutor(args.workers) as pool:
        reasons = pool.map(lambda name: reason(args.folder / name), names)
        for name, what in zip(names, reasons, strict=True):
            if what:
                damaged += 1
                print(name)
                print(what, file=sys.stderr)
    print(f'{damaged} of {len(names)} images are damaged', file=sys.stderr)
    return int(damaged > 0)


if __name__ == '__main__':
    run_tool(main)
