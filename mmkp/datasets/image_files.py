# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Find the image files of a folder, a pattern, a list or a text file."""

import functools
import glob
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log

from mmkp.datasets.image_formats import (
    FILM_SUFFIXES,
    IMAGE_SUFFIXES,
    UNREAD_SUFFIXES,
)
from mmkp.labels import read_names


def _walk(folder: str, recursive: bool, with_films: bool = False) -> list[str]:
    """List image files below a folder, relative to it; links are followed once.

    What else looks like a picture or a film is left out, with a word.
    """
    suffixes = IMAGE_SUFFIXES + (FILM_SUFFIXES if with_films else ())
    found: list[str] = []
    unread: list[str] = []
    visited = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = [n for n in folders if recursive and not n.startswith('.')]
        relative = os.path.relpath(root, folder)
        for name in names:
            if name.startswith('.'):
                continue
            path = name if relative == '.' else os.path.join(relative, name)
            if name.lower().endswith(suffixes):
                found.append(path)
            elif name.lower().endswith(UNREAD_SUFFIXES + FILM_SUFFIXES):
                unread.append(path)
    for suffixes, kind, remedy in (
        (UNREAD_SUFFIXES, 'pictures', 'convert them to JPEG or PNG'),
        (FILM_SUFFIXES, 'films', 'give each by itself, or its frames as images'),
    ):
        left_out = sorted(name for name in unread if name.lower().endswith(suffixes))
        if left_out:
            _tell(
                f'{folder}: {len(left_out)} {kind} of formats that are not read here '
                f'are left out, the first is {left_out[0]}: {remedy}'
            )
    return sorted(found)


@functools.lru_cache(maxsize=256)
def _tell(remark: str) -> None:
    """Warn once, although a folder may be listed for training and for validation."""
    print_log(remark, logger='current', level=logging.WARNING)


def _read_list(path: str) -> list[str]:
    """Read one file name a line; empty lines are skipped."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f'the list of image files {path} does not exist')
    return read_names(path) if Path(path).read_bytes().strip() else []


def find_images(
    folder: str,
    files: str | Sequence[str] | None = None,
    pattern: str | None = None,
    recursive: bool = True,
    with_films: bool = False,
) -> list[str]:
    """List images without opening any of them.

    Args:
        folder: Folder of the images; file names are relative to it.
        files: Names of the images, or the path of a text file with one name a line
            (relative to ``folder`` or absolute). They are trusted to exist.
        pattern: Glob pattern below the folder, such as ``'*/front_*.png'``;
            ``**`` stands for any number of folders. It may not be combined with
            ``files``.
        recursive: Whether to search subfolders too, when neither is given.
        with_films: Whether to list films too, when neither is given.

    Returns:
        File names relative to the folder (or absolute ones, as listed), sorted
        unless listed. Names that start with a dot are left out.

    Raises:
        FileNotFoundError: If the folder or the text file does not exist, or if no
            image is found.
        ValueError: If both ``files`` and ``pattern`` are given.
    """
    if files is not None and pattern is not None:
        raise ValueError('give either files or pattern, not both')
    if folder and not os.path.isdir(folder):
        raise FileNotFoundError(
            f'image folder {folder} does not exist; set data_root (and data_prefix) '
            'to the folder of the images'
        )
    if files is not None:
        names = _read_list(files) if isinstance(files, str) else list(files)
        if not names:
            raise FileNotFoundError(f'the list of image files {files!r} is empty')
        return names
    if pattern is not None:
        names = sorted(glob.glob(pattern, root_dir=folder or None, recursive=True))
        names = [n for n in names if os.path.isfile(os.path.join(folder, n))]
        if not names:
            raise FileNotFoundError(f'no file in {folder} matches {pattern!r}')
        return names
    names = _walk(folder or '.', recursive, with_films)
    if not names:
        where = 'or its subfolders ' if recursive else ''
        raise FileNotFoundError(
            f'no image found in {folder} {where}(looked for files that end in '
            f'{", ".join(IMAGE_SUFFIXES)}; give pattern or files for others)'
        )
    return names
