# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a source names: images, films and cameras, each with a name of its own."""

import glob
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmkp.apis.camera import Camera
from mmkp.apis.films import Film, is_film
from mmkp.datasets.image_arrays import array_as_image
from mmkp.datasets.image_decoding import CorruptImageError, read_image
from mmkp.datasets.image_files import find_images
from mmkp.datasets.image_formats import FILM_SUFFIXES, IMAGE_SUFFIXES
from mmkp.labels import read_names

# A path, a number of a camera, an array in RGB, a tensor in RGB, a PIL image, or a list
# of these.
Source = Any


# Whether a file of that name, relative to the folder of all, is to be predicted here.
Owns = Callable[[str], bool]


@dataclass(slots=True)
class Part:
    """An image or a film of a source; there may be a million of them.

    Attributes:
        name: relative to the folder of all; of a film without its suffix.
        folder: of all, None of what is held in memory.
        film: None of an image.
        image: (H, W, 3), uint8, BGR, of what is held in memory.
        rank: place in the order of the source, counted from 0.
    """

    name: str
    folder: Path | None = None
    film: Film | Camera | None = None
    image: np.ndarray | None = None
    rank: int = 0

    @property
    def path(self) -> Path | None:
        """Where it lies, None of what is held in memory."""
        if self.folder is None:
            return None
        return self.folder / self.name if self.film is None else self.film.path

    def read(self) -> np.ndarray:
        """The image, BGR, upright.

        Raises:
            CorruptImageError: it cannot be decoded.
        """
        if self.image is not None:
            return self.image
        assert self.path is not None
        return read_image(self.path)


@dataclass
class Parts:
    """The images and films that a source names.

    Attributes:
        folder: that names are relative to.
        parts: in their order.
        damaged: names of films that cannot be opened.
        is_file: whether one file was named, which has to be readable.
        others: number of images and films that are left to other processes.
    """

    folder: Path
    parts: list[Part]
    damaged: list[str]
    is_file: bool = False
    others: int = 0


def parts_of(
    source: Source, leave_out: str | Path | None = None, owns: Owns | None = None
) -> Parts:
    """Find out what a source names.

    Args:
        source: file, folder, pattern such as ``'photos/*.jpg'``, text file (``.txt``)
            with a path a line, film, index of a camera, array (H, W, 3) in RGB,
            tensor (3, H, W) in RGB, PIL image, or a list of these.
        leave_out: folder below the source of which nothing is looked at.
        owns: what is to be predicted here, None for all; it is asked for each name
            once, and the others are not opened.

    Returns:
        The images and films.

    Raises:
        FileNotFoundError: a file does not exist, or nothing is found.
        ValueError: something is neither an image nor a film that can be opened.
    """
    if isinstance(source, np.ndarray) and source.ndim == 4:
        source = list(source)
    if isinstance(source, list | tuple):
        return _of_list(source, leave_out, owns)
    if isinstance(source, int) or not isinstance(source, str | os.PathLike):
        return _of_list([source], None, owns)
    path, text = Path(source), str(source)
    if path.is_dir():
        return _of_folder(path, leave_out, owns)
    if path.exists():
        listed = _listed(path) if path.suffix.lower() == '.txt' else None
        return _of_list(listed, None, owns) if listed else _of_file(path, owns)
    if text.isdecimal():
        return _of_list([int(text)], None, owns)
    if glob.has_magic(text):
        found = sorted(glob.glob(text, recursive=True))
        if not found:
            raise FileNotFoundError(f"no file matches '{source}'")
        return _of_list([Path(name) for name in found], leave_out, owns)
    raise FileNotFoundError(f"input '{source}' does not exist")


def _of_file(path: Path, owns: Owns | None = None) -> Parts:
    """An image or a film, told apart by its content."""
    if owns is not None and not owns(path.name):
        return Parts(path.parent, [], [], others=1)
    if _is_film(path):
        return Parts(path.parent, [Part(path.stem, path.parent, Film(path))], [])
    return Parts(path.parent, [Part(path.name, path.parent)], [], True)


def _of_folder(
    folder: Path, leave_out: str | Path | None, owns: Owns | None = None
) -> Parts:
    names = find_images(str(folder), with_films=True)
    return _of_names(folder, _without(names, folder, leave_out), owns)


def _of_list(
    items: Sequence[Source],
    leave_out: str | Path | None = None,
    owns: Owns | None = None,
) -> Parts:
    """What several paths, arrays or cameras name."""
    if not items:
        raise ValueError('the list of images is empty')
    held, paths = [], []
    for item in items:
        if isinstance(item, int | np.integer):
            camera = Camera(int(item))
            held.append(Part(camera.path.name, None, camera))
        elif not isinstance(item, str | os.PathLike):
            name = f'image_{len(held):06d}'
            held.append(Part(name, image=_held_image(item, name)))
        elif Path(item).is_dir():
            found = find_images(str(item), with_films=True)
            paths += [Path(item, name) for name in _without(found, item, leave_out)]
        elif Path(item).exists():
            paths.append(Path(item))
        else:
            raise FileNotFoundError(f"input '{item}' does not exist")
    parts = Parts(Path('.'), [], [])
    if paths:
        paths = [path.absolute() for path in paths]
        folder = Path(os.path.commonpath([path.parent for path in paths]))
        names = [path.relative_to(folder).as_posix() for path in paths]
        parts = _of_names(folder, names, owns)
    for rank, part in enumerate(held, len(paths)):
        part.rank = rank
    kept = [part for part in held if owns is None or owns(part.name)]
    parts.parts += kept
    parts.others += len(held) - len(kept)
    return parts


def _of_names(folder: Path, names: Sequence[str], owns: Owns | None = None) -> Parts:
    """Images and films below a folder; films that cannot be opened are left out."""
    parts = Parts(folder, [], [])
    used: set[str] = set()
    for rank, name in enumerate(names):
        suffix = os.path.splitext(name)[1]
        stem = name.removesuffix(suffix)
        if owns is not None and not owns(name):
            parts.others += 1
            if suffix.lower() in FILM_SUFFIXES:
                used.add(stem)  # as names must not depend on who predicts what
            continue
        if suffix.lower() in IMAGE_SUFFIXES or not _is_film(folder / name):
            parts.parts.append(Part(name, folder, rank=rank))
            continue
        stem = name if stem in used else stem
        try:
            film = Film(folder / name)
        except ValueError as error:
            if len(names) == 1:
                raise
            parts.damaged.append(name)
            print_log(f'left out: {error}', logger='current', level=logging.WARNING)
            continue
        used.add(stem)
        parts.parts.append(Part(stem, folder, film, rank=rank))
    return parts


def _is_film(path: Path) -> bool:
    try:
        if is_film(path):
            return True
    except OSError as error:
        raise ValueError(f"input '{path}' cannot be read: {error.strerror}") from error
    suffix = path.suffix.lower()
    if suffix in FILM_SUFFIXES:
        return True  # which says why it cannot be opened
    if suffix in IMAGE_SUFFIXES:
        return False
    try:
        read_image(path)
    except CorruptImageError as error:
        raise ValueError(
            f"input '{path}' is neither a folder, nor an image, nor a video "
            f'that is known here: {error}'
        ) from error
    return False


def _listed(path: Path) -> list[Path] | None:
    """The files that a text file names, None where it names none that is there."""
    try:
        names = read_names(path)
    except ValueError:
        return None
    found = [Path(name.replace('\\', os.sep)) for name in names]
    try:
        found = [name if name.exists() else path.parent / name for name in found]
        if not any(name.exists() for name in found):
            return None
    except OSError:  # too long for names
        return None
    for name in found:
        if not name.exists():
            raise FileNotFoundError(f"'{path}' lists '{name}', which does not exist")
    return found


def _held_image(image: Any, name: str) -> np.ndarray:
    """What a notebook holds as BGR; arrays are RGB there."""
    if isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] in (3, 4):
        image = image[..., 2::-1]
    return array_as_image(image, name)


def _without(
    names: list[str], source: str | os.PathLike, leave_out: str | Path | None
) -> list[str]:
    """Leave out what lies below a folder inside the source."""
    folder, resolved = Path(leave_out or '.').resolve(), Path(source).resolve()
    if leave_out is None or resolved not in folder.parents:
        return names
    before = f'{folder.relative_to(resolved)}{os.sep}'
    kept = [name for name in names if not name.startswith(before)]
    return kept or names
