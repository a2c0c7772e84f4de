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
) -> Iterator[tuple[str, np.ndarray | None]]:
    """Read images of a run's source, one after the other.

    Args:
        run: of which the images are.
        source: a file, a folder, a film, or what else names images; relative to the
            folder where one works, or to one above that of the run.
        names: of the images.

    Yields:
        Each name, in any order, with an image (H, W, 3), uint8, BGR, upright; with None
        where it is gone or damaged.
    """
    place = _place(run, source)
    files = {name: _file(place, name) for name in names}
    if not any(files.values()):
        yield from _frames(place, names)
        return
    # Those that are gone first: others get their share of the page.
    for name in sorted(names, key=lambda name: files[name] is not None):
        yield name, _read(files[name])


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
    # A pattern; what else does not exist, as the number of a camera, is not opened.
    return Path(source) if set('*?[') & set(source) else None


def _file(place: Path | None, name: str) -> Path | None:
    """An image below the source, or beside it where that is a file or a pattern."""
    bases = [Path()] if place is None else [place, place.parent, Path()]
    found = (base / name for base in bases if (base / name).is_file())
    return next(found, None)


def _read(file: Path | None) -> np.ndarray | None:
    try:
        return None if file is None else read_image(file)
    except CorruptImageError:
        return None


def _frames(
    place: Path | None, names: Sequence[str]
) -> Iterator[tuple[str, np.ndarray | None]]:
    """What has no file of its name: frames; films are read as far as the last of them.

    Whatever keeps the source from being read leaves the rest of them gone.
    """
    wanted = set(names)
    try:
        for name, image in Media(place) if place else ():
            if name in wanted:
                wanted.remove(name)
                yield name, image
            if not wanted:
                return
    except (OSError, ValueError):
        pass
    yield from ((name, None) for name in sorted(wanted))
