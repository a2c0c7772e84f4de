# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Names of a film's frames, and numbers in names."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_END = re.compile(r'(\d+)(?:\.[A-Za-z]+)?$')
_FILMS = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv')


def frame_name(film: str | Path, number: int) -> str:
    """Return what a frame is called in a label set.

    Args:
        film: File.
        number: Of the frame, counted from 0.
    """
    return f'{stem_of(film)}_{number:06d}'


def frame_number(name: str) -> int | None:
    """Return the number at the end of a frame's or image's name, None without one.

    Args:
        name: Such as ``mouse_000017`` or ``img17.png``.
    """
    found = _END.search(name)
    return int(found[1]) if found and len(found[1]) < 16 else None


def frame_numbers(names: Sequence[str]) -> list[int] | None:
    """Return the number that each name ends in, None unless each has one of its own.

    Args:
        names: Of frames or images.
    """
    found = [frame_number(name) for name in names]
    numbers = [number for number in found if number is not None]
    return numbers if len(set(numbers)) == len(found) else None


def frame_rate(names: Sequence[str], times: Sequence[float] | np.ndarray) -> float:
    """Return the frames a second, rounded to 3 digits, 0 if it is unknown.

    Args:
        names: Of frames, which end in their numbers.
        times: Of them, in seconds.
    """
    numbers = frame_numbers(names)
    steps = np.diff(np.asarray(times, np.float64))
    counts = np.diff(range(len(names)) if numbers is None else numbers)
    known = (steps > 0) & (counts > 0)
    return (
        round(float(np.median(counts[known] / steps[known])), 3) if known.any() else 0.0
    )


def stem_of(film: str | Path) -> str:
    """Return a film's name without folders, of Windows too, and without suffix.

    Args:
        film: File.
    """
    return Path(str(film).replace('\\', '/')).stem


def film_beside(table: Path, stem: str) -> Path:
    """Return the film of a table: the file of that name beside it, or only its name.

    Args:
        table: File.
        stem: Of the film.
    """
    places = (table.parent / f'{stem}{suffix}' for suffix in _FILMS)
    return next((place for place in places if place.is_file()), Path(stem))
