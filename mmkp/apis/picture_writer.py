# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where to put what is drawn on images and films."""

import unicodedata
from pathlib import Path

import cv2
import numpy as np

from mmkp.apis.film_writer import FilmWriter
from mmkp.apis.films import Frame
from mmkp.apis.media import Media
from mmkp.apis.sources import Part

# Pictures keep these suffixes, others get a second one.
_WRITTEN_SUFFIXES = ('.jpg', '.jpeg', '.png')


class PictureWriter:
    """Writes what was drawn: a picture for each image, one video for each film.

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
        self._part: Part | None = None

    def __enter__(self) -> 'PictureWriter':
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._film is not None:
            self._film.__exit__(*exception)

    def write(
        self,
        name: str,
        image: np.ndarray,
        time: float | None = None,
        film: Part | None = None,
    ) -> Path:
        """Write one picture.

        Args:
            name: of the image it is drawn on, or of the frame.
            image: (H, W, 3), uint8, BGR; all frames of a video have one size.
            time: of a frame, in seconds; by default that of the frame given last.
            film: that it is a frame of; by default that of the frame given last.

        Returns:
            Where it is.

        Raises:
            OSError: it cannot be written.
            ValueError: it would replace the image that it is drawn on.
        """
        film = film or (self.media.shown if time is None else None)
        if film is not None:
            return self._add_frame(
                film, image, self.media.time if time is None else time
            )
        path = self._free_path(name)
        original = self.media.folder / name
        if path.exists() and original.exists() and path.samefile(original):
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

    def _add_frame(self, part: Part, image: np.ndarray, time: float) -> Path:
        if self._part is not part or self._film is None:
            if self._film is not None:
                self._film.__exit__(None, None, None)
            assert part.film is not None
            stem = self.folder / part.name
            stem.parent.mkdir(parents=True, exist_ok=True)
            self._film, self._part = FilmWriter(stem, part.film.rate), part
        self._film.write(Frame(image, time))
        self.written = self._film.path or self.folder
        return self.written


def as_disks_compare(path: Path) -> str:
    """A path without what some disks do not tell apart.

    Args:
        path: of a file.
    """
    return unicodedata.normalize('NFC', str(path)).casefold()
