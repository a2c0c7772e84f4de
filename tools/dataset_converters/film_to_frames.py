# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Write frames of a film as pictures, to train on without labels.

    python tools/dataset_converters/film_to_frames.py FILM FOLDER --every 5

Frame t becomes `FOLDER/imgTTTT.jpg`, as DeepLabCut names the frames that it takes out.
"""

import argparse
from pathlib import Path

from mmkp.apis.films import Film
from mmkp.datasets.coco_writer import write_image
from mmkp.engine.cli import run_tool


def write_frames(film: Path, folder: Path, every: int = 1) -> int:
    """Write every n-th frame of a film.

    Args:
        film: File of the film.
        folder: Folder for the pictures.
        every: n.

    Returns:
        Number of pictures written.

    Raises:
        ValueError: If ``every`` is below 1 or the film cannot be read.
    """
    if every < 1:
        raise ValueError(f'--every {every} must be at least 1')
    number = 0
    for index, frame in enumerate(Film(film)):
        if index % every == 0:
            write_image(folder / f'img{index:04d}.jpg', frame.image)
            number += 1
    return number


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('film', type=Path)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--every', type=int, default=1, help='default: %(default)s')
    args = parser.parse_args(arguments)
    number = write_frames(args.film, args.folder, args.every)
    print(f'{number} frames of {args.film} -> {args.folder}')


if __name__ == '__main__':
    run_tool(main)
