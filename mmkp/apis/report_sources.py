# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The images of a run again, by the names that ``keypoints.json`` has for them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mmkp.apis.media import Media
from mmkp.apis.run import Run
from mmkp.datasets.image_decoding import CorruptImageError, read_image

# runs/<verb>/<name>: so far above may lie the folder that a relative source is meant
# from.
_LEVELS_ABOVE = 3


def source_images(
    run: Run, source: str | None, names: Sequence[str]
) -> Iterator[np.ndarray | None]:
    """Read images of a run's source, one after the other.

    Args:
        run: of which the images are.
        source: a file, a folder, a film, or what else names images; relative to the
            folder where one works, or to one above that of the run.
        names: of the images, in the order of the source.

    Yields:
        For each name an image (H, W, 3), uint8, BGR, upright; None where it is gone or
        damaged.
    """
    place = _place(run, source)
    film = _film(place)
    if film is not None:
        yield from _frames(film, names)
        return
    for name in names:
        yield _image(place, name)


def _place(run: Run, source: str | None) -> Path | None:
    """Where the source lies, None where it is gone."""
    if not source:
        return None
    folder = run.path.resolve()
    above = list(folder.parents)[:_LEVELS_ABOVE]
    for base in (Path(), *reversed(above)):
        place = base / source
        # A run has the name of its source.
        if place.exists() and place.resolve() != folder:
            return place
    return Path(source) if Path(source).parent.is_dir() else None


def _film(place: Path | None) -> Media | None:
    """The source where it is a film that can be opened."""
    if place is None or not place.is_file():
        return None
    try:
        media = Media(place)
    except (FileNotFoundError, ValueError):
        return None
    return media if media.is_video else None


def _frames(media: Media, names: Sequence[str]) -> Iterator[np.ndarray | None]:
    """Frames of these names; the film is read as far as the last of them."""
    wanted = iter(names)
    name = next(wanted, None)
    for frame, image in media:
        if frame == name:
            yield image
            name = next(wanted, None)
            if name is None:
                return
    yield None
    yield from (None for _ in wanted)


def _image(place: Path | None, name: str) -> np.ndarray | None:
    """An image below the source, or beside it where that is a file or a pattern."""
    bases = [Path()] if place is None else [place, place.parent, Path()]
    for base in bases:
        if (base / name).is_file():
            try:
                return read_image(base / name)
            except CorruptImageError:
                return None
    return None
