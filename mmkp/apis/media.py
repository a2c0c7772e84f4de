# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images and videos, one after the other, and where to put what is drawn on them."""

import logging
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from mmkp.apis.film_writer import FilmWriter
from mmkp.apis.films import Film, Frame, is_film
from mmkp.datasets.image_decoding import CorruptImageError, read_image
from mmkp.datasets.image_files import find_images
from mmkp.datasets.image_formats import FILM_SUFFIXES, IMAGE_SUFFIXES

# Pictures keep these suffixes, others get a second one.
_WRITTEN_SUFFIXES = ('.jpg', '.jpeg', '.png')


class Media:
    """An image, all images below a folder, or the frames of a video.

    Iterating gives pairs of a name and an image (H, W, 3), uint8, BGR, upright. A
    damaged image of a folder is left out with a warning and noted in ``damaged``.
    What is no folder is told apart by its content, not by its name.

    Args:
        source: file or folder.
        leave_out: folder below the source whose images are not looked at, that of what
            was drawn before.

    Raises:
        FileNotFoundError: it does not exist, or the folder holds no image.
        ValueError: the file is neither an image nor a video that can be opened.
    """

    def __init__(self, source: str | Path, leave_out: str | Path | None = None) -> None:
        self.source = Path(source)
        self.damaged: list[str] = []
        self.film: Film | None = None
        self.time = 0.0  # of the frame that was given last, in seconds
        if not self.source.exists():
            raise FileNotFoundError(f"input '{source}' does not exist")
        if self.source.is_dir():
            self.names = self._without(find_images(str(self.source)), leave_out)
            self.length: int | None = len(self.names)
        elif self._is_film():
            self.film = Film(self.source)
            self.length = self.film.num_declared
        else:
            self.names, self.length = [self.source.name], 1

    @property
    def is_video(self) -> bool:
        """Whether these are the frames of a film."""
        return self.film is not None

    @property
    def frames_per_second(self) -> float:
        """Rate of a film, 0 of images."""
        return self.film.rate if self.film else 0.0

    def _is_film(self) -> bool:
        try:
            if is_film(self.source):
                return True
        except OSError as error:
            raise ValueError(
                f"input '{self.source}' cannot be read: {error.strerror}"
            ) from error
        suffix = self.source.suffix.lower()
        if suffix in FILM_SUFFIXES:
            return True  # which says why it cannot be opened
        if suffix in IMAGE_SUFFIXES:
            return False
        try:
            read_image(self.source)
        except CorruptImageError as error:
            raise ValueError(
                f"input '{self.source}' is neither a folder, nor an image, nor a video "
                f'that is known here: {error}'
            ) from error
        return False

    def _without(self, names: list[str], leave_out: str | Path | None) -> list[str]:
        """Leave out what lies below a folder inside the source."""
        folder, source = Path(leave_out or '.').resolve(), self.source.resolve()
        if leave_out is None or source not in folder.parents:
            return names
        before = f'{folder.relative_to(source)}{os.sep}'
        kept = [name for name in names if not name.startswith(before)]
        return kept or names

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        if self.film is not None:
            for number, frame in enumerate(self.film):
                self.time = frame.time
                yield f'{self.source.stem}_{number:06d}', frame.image
            return
        folder = self.source if self.source.is_dir() else self.source.parent
        for name in self.names:
            try:
                yield name, read_image(folder / name)
            except CorruptImageError as error:
                if not self.source.is_dir():
                    raise
                self.damaged.append(name)
                print_log(f'left out: {error}', logger='current', level=logging.WARNING)


class PictureWriter:
    """Writes what was drawn: a picture for each image, or one video.

    Pictures keep the names of their images; those of formats that are not written here
    get ``.png`` behind their suffix. Names that a disk may take for the same (by their
    case, for example) get a number, so that none replaces another.

    Args:
        folder: where to write, created when absent.
        media: what the pictures are drawn on.
        used: what was written by writers of one run, shared by them.

    Use as a context manager; ``written`` names what there is.
    """

    def __init__(
        self, folder: str | Path, media: Media, used: set[str] | None = None
    ) -> None:
        self.folder, self.media = Path(folder), media
        self.written: Path = self.folder
        self._used = set() if used is None else used
        self._film: FilmWriter | None = None

    def __enter__(self) -> 'PictureWriter':
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._film is not None:
            self._film.__exit__(*exception)

    def write(self, name: str, image: np.ndarray, time: float | None = None) -> Path:
        """Write one picture.

        Args:
            name: of the image it is drawn on, or of the frame.
            image: (H, W, 3), uint8, BGR; all frames of a video have one size.
            time: of a frame, in seconds; by default that of the frame given last.

        Returns:
            Where it is.

        Raises:
            OSError: it cannot be written.
            ValueError: it would replace the image that it is drawn on.
        """
        if self.media.film is not None:
            return self._add_frame(image, self.media.time if time is None else time)
        path = self._free_path(name)
        source = self.media.source
        original = source / name if source.is_dir() else source
        if path.exists() and path.samefile(original):
            raise ValueError(
                f"picture '{path}' would replace the image that it is drawn on: write "
                'into another folder (--out)'
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        # Through memory: OpenCV writes no names that its system's encoding lacks.
        options = [cv2.IMWRITE_JPEG_QUALITY, 95]
        success, content = cv2.imencode(path.suffix.lower(), image, options)
        if not success:
            raise OSError(f"picture '{path}' cannot be written")
        path.write_bytes(content.tobytes())
        return path

    def _free_path(self, name: str) -> Path:
        """A path that is used by no other picture of this run."""
        path = self.folder / name
        if path.suffix.lower() not in _WRITTEN_SUFFIXES:
            path = path.with_name(f'{path.name}.png')
        chosen, number = path, 1
        while (key := as_disks_compare(chosen)) in self._used:
            number += 1
            chosen = path.with_name(f'{path.stem}_{number}{path.suffix}')
        self._used.add(key)
        return chosen

    def _add_frame(self, image: np.ndarray, time: float) -> Path:
        if self._film is None:
            stem = self.folder / self.media.source.stem
            self._film = FilmWriter(stem, self.media.frames_per_second)
        self._film.write(Frame(image, time))
        self.written = self._film.path or self.folder
        return self.written


def as_disks_compare(path: Path) -> str:
    """A path without what some disks do not tell apart.

    Args:
        path: of a file.
    """
    return unicodedata.normalize('NFC', str(path)).casefold()
