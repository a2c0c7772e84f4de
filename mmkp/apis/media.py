# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images and videos, one after the other."""

import logging
import re
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.logging import print_log

from mmkp.apis.camera import Camera
from mmkp.apis.films import Film
from mmkp.apis.sources import Owns, Part, Source, parts_of
from mmkp.datasets.image_decoding import CorruptImageError


class Shot(NamedTuple):
    """An image, or a frame of a film."""

    name: str
    image: np.ndarray  # (H, W, 3), uint8, BGR
    time: float = 0.0  # of a frame, in seconds
    film: Part | None = None  # that it is a frame of
    rank: int = 0  # of the image or the film, in the order of the source


class Media:
    """An image, all images and films below a folder, or the frames of a video.

    Iterating gives pairs of a name and an image (H, W, 3), uint8, BGR, upright;
    :meth:`shots` says more of each. Frames are called ``<film>_000000`` and so on. A
    damaged image of a folder is left out with a warning and noted in ``damaged``. What
    is no folder is told apart by its content, not by its name.

    Args:
        source: see :func:`mmkp.apis.sources.parts_of`.
        leave_out: folder below the source whose images are not looked at, that of what
            was drawn before.
        frames: which frames of each film to read, or which of the images.
        without: names that are not read.
        owns: which images and films to read, by their names; None for all.

    Raises:
        FileNotFoundError: it does not exist, or the folder holds no image.
        ValueError: the file is neither an image nor a video that can be opened;
            numbers of images are asked for where some are left to others.
    """

    def __init__(
        self,
        source: Source,
        leave_out: str | Path | None = None,
        frames: range | None = None,
        without: Container[str] = (),
        owns: Owns | None = None,
    ) -> None:
        found = parts_of(source, leave_out, owns)
        self.folder, self.parts, self.damaged = found.folder, found.parts, found.damaged
        self.frames, self.without, self._is_file = frames, without, found.is_file
        self.owns, self.others = owns, found.others
        if frames is not None:
            images = [part for part in self.parts if part.film is None]
            if images and owns is not None:
                raise ValueError(
                    'with --shard, --frames are those of films: name some of the '
                    'images by a pattern or in a text file'
                )
            chosen = images[frames.start : frames.stop : frames.step]
            kept = {part.name for part in chosen}
            self.parts = [p for p in self.parts if p.film or p.name in kept]
        self.time = 0.0  # of the frame that was given last, in seconds
        self.shown: Part | None = None  # film of the frame that was given last

    @property
    def film(self) -> Film | Camera | None:
        """The film, where all are frames of one."""
        return self.parts[0].film if self.parts and not self.is_several else None

    @property
    def is_several(self) -> bool:
        """Whether the source names several images and films, others' among them."""
        return len(self.parts) + self.others > 1

    @property
    def is_video(self) -> bool:
        """Whether these are the frames of films."""
        return bool(self.parts) and all(part.film for part in self.parts)

    @property
    def is_endless(self) -> bool:
        """Whether a camera goes on until it is stopped."""
        return self.frames is None and any(
            isinstance(part.film, Camera) for part in self.parts
        )

    @property
    def frames_per_second(self) -> float:
        """Rate of the film, or of the first of several that are all; 0 of images."""
        film = self.parts[0].film if self.is_video else None
        return film.rate if film else 0.0

    @property
    def length(self) -> int | None:
        """Number of images and frames, None where a film does not tell it."""
        number = 0
        for part in self.parts:
            if part.film is None:
                number += 1
            elif part.film.num_declared is None:
                return len(self.frames) if self.frames and self.film else None
            else:
                declared = range(part.film.num_declared)
                chosen = self.frames or declared
                number += len(declared[chosen.start : chosen.stop : chosen.step])
        return number

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        for shot in self.shots():
            yield shot.name, shot.image

    def shots(self) -> Iterator[Shot]:
        """Images and frames with their times, one after the other.

        Raises:
            CorruptImageError: the only image cannot be decoded.
            ValueError: a film holds no frame that can be read, or none of those that
                were asked for.
        """
        for part in self.parts:
            if part.film is not None:
                yield from self._frames(part)
            elif part.name not in self.without:
                try:
                    image = part.read()
                except CorruptImageError as error:
                    if self._is_file:
                        raise
                    self._leave_out(part, error)
                    continue
                self.time, self.shown = 0.0, None
                yield Shot(part.name, image, rank=part.rank)

    def _frames(self, part: Part) -> Iterator[Shot]:
        assert part.film is not None
        chosen, number = self.frames, 0

        def wanted(index: int) -> bool:
            nonlocal number
            if chosen is not None and index not in chosen:
                return False
            number += 1
            return f'{part.name}_{index:06d}' not in self.without

        stop = chosen.stop if chosen is not None else None
        for frame in part.film.frames(wanted, stop):
            self.time, self.shown = frame.time, part
            name = f'{part.name}_{frame.number:06d}'
            yield Shot(name, frame.image, frame.time, part, part.rank)
        if chosen is not None and not number:
            raise ValueError(
                f"video '{part.path}' has no frame {chosen.start} (counted from 0): "
                'ask for others with --frames'
            )

    def _leave_out(self, part: Part, error: CorruptImageError) -> None:
        self.damaged.append(part.name)
        print_log(f'left out: {error}', logger='current', level=logging.WARNING)


def frame_range(text: str) -> range:
    """Read which frames are asked for.

    Args:
        text: first and last frame counted from 0, and a step, such as ``0-100``,
            ``0-100:5`` or ``7``.

    Raises:
        ValueError: it is none of these.
    """
    found = re.fullmatch(r'(\d+)(?:-(\d+)(?::([1-9]\d*))?)?', text.strip())
    if found is None or int(found[2] or found[1]) < int(found[1]):
        raise ValueError(
            f'--frames {text} is no range of frames: write 0-100, 0-100:5 (each '
            'fifth), or the number of one'
        )
    return range(int(found[1]), int(found[2] or found[1]) + 1, int(found[3] or 1))
