# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read tables of DeepLabCut, as Lightning Pose writes them too, and its config.yaml."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from .landmarks import Landmarks, LandmarkTable
from .table import Row, Table
from .table_numbers import NumberReader
from .text_file import read_text

_LEVELS = ('scorer', 'individuals', 'bodyparts', 'coords')


def is_deeplabcut(table: Table) -> bool:
    """Tell whether a table has the header rows of DeepLabCut."""
    firsts = [row.cells[0].lower() for row in table.rows[:4]]
    return firsts[0] in _LEVELS and ('bodyparts' in firsts or 'coords' in firsts)


def parse_deeplabcut(
    table: Table, numbers: NumberReader, min_likelihood: float = 0.0
) -> LandmarkTable:
    """Read a table of one or several animals.

    Args:
        table: Header rows ``scorer``, ``individuals`` (of several animals),
            ``bodyparts`` and ``coords``; then a row an image, whose name fills one
            column or is spread over three.
        numbers: Reads its numbers.
        min_likelihood: Points of a lower likelihood are missing.

    Returns:
        Landmarks of all body parts, an entry an animal and image.

    Raises:
        ValueError: If a header row is missing or contradicts itself.
    """
    found = read_animals(table, numbers)
    entries, unlikely = [], 0
    for name, line, values in zip(found.names, found.lines, found.values, strict=True):
        points = values[..., :2].copy()
        low = values[..., 2] < min_likelihood
        unlikely += int((low & ~np.isnan(points).any(-1)).sum())
        points[low] = np.nan
        shown = [v for v in points if not np.isnan(v).all()] or [points[0]]
        entries += [Landmarks(name, animal, line) for animal in shown]
    _refuse_films(table, entries)
    if unlikely:
        warnings.warn(
            f'{table.path}: {unlikely} points of a likelihood below {min_likelihood} '
            'are taken as missing',
            stacklevel=3,
        )
    return LandmarkTable(table.path, found.parts, entries)


@dataclass
class AnimalTable:
    """The cells of a table of DeepLabCut, in csv or HDF5.

    Attributes:
        scorer: Person or network that the points are of.
        animals: Names of the A animals, one that is '' of a table of a single animal.
        parts: Names of the K body parts.
        names: Of R images, or numbers of frames.
        lines: Where they stand in the file.
        values: (R, A, K, 3) float64, x, y and likelihood, NaN where empty.
        has_likelihood: Whether there is a column of likelihoods.
    """

    scorer: str
    animals: list[str]
    parts: list[str]
    names: list[str]
    lines: list[int]
    values: np.ndarray
    has_likelihood: bool

    @property
    def is_of_film(self) -> bool:
        """Whether the rows are frames of a film in place of images."""
        return bool(self.names) and all(name.isdecimal() for name in self.names)


def read_animals(table: Table, numbers: NumberReader) -> AnimalTable:
    """Read all cells of a table of one or several animals.

    Args:
        table: See :func:`parse_deeplabcut`.
        numbers: Reads its numbers.

    Returns:
        What the cells say, empty rows included.

    Raises:
        ValueError: If a header row is missing or contradicts itself.
    """
    header = _header(table)
    rows = table.rows[len(header) :]
    if not rows:
        raise ValueError(f'{table.path} has a header, but no rows below it')
    places = _places(table, header)
    index = min(p for place in places.values() for p in place.values())
    parts = list(dict.fromkeys(part for _, part in places))
    animals = list(dict.fromkeys(animal for animal, _ in places))
    values = np.full((len(rows), len(animals), len(parts), 3), np.nan)
    for (animal, part), place in places.items():
        column = values[:, animals.index(animal), parts.index(part)]
        for axis, name in enumerate(('x', 'y', 'likelihood')):
            if name in place:
                cell = place[name]
                column[:, axis] = [numbers(row.cells[cell], row) for row in rows]
    return AnimalTable(
        next((cell for cell in header['scorer'].cells[index:] if cell), '')
        if 'scorer' in header
        else '',
        animals,
        parts,
        ['/'.join(cell for cell in row.cells[:index] if cell) for row in rows],
        [row.line for row in rows],
        values,
        any('likelihood' in place for place in places.values()),
    )


def _header(table: Table) -> dict[str, Row]:
    """Return the header rows by what they hold."""
    header: dict[str, Row] = {}
    for row in table.rows[:4]:
        level = row.cells[0].lower()
        if level not in _LEVELS:
            break
        if level in header:
            raise ValueError(f'{table.where(row)}: a second header row "{level}"')
        header[level] = row
    for level in ('bodyparts', 'coords'):
        if level not in header:
            raise ValueError(
                f'{table.path} begins like a table of DeepLabCut, but has no header '
                f'row "{level}"; its rows are scorer, individuals (of several '
                'animals), bodyparts, coords'
            )
    return header


def _places(
    table: Table, header: dict[str, Row]
) -> dict[tuple[str, str], dict[str, int]]:
    """Return, by animal and body part, the columns of x, y and likelihood."""
    parts, axes = header['bodyparts'].cells, header['coords'].cells
    animals = (
        header['individuals'].cells if 'individuals' in header else [''] * len(axes)
    )
    places: dict[tuple[str, str], dict[str, int]] = {}
    unread = []
    for column in range(1, len(axes)):
        axis = axes[column].lower()
        if not axis:
            if parts[column] or header.get('scorer', header['coords']).cells[column]:
                unread.append(parts[column] or header['scorer'].cells[column])
            continue
        place = places.setdefault((animals[column], parts[column]), {})
        if axis in place:
            raise ValueError(
                f'{table.where(header["coords"])}: {axis} of {parts[column]} is there '
                'twice; keep the columns of one scorer'
            )
        place[axis] = column
    for (_, part), place in places.items():
        if not part or not {'x', 'y'} <= set(place) <= {'x', 'y', 'likelihood'}:
            raise ValueError(
                f'{table.where(header["coords"])}: {part or "a nameless body part"} '
                f'has the columns {", ".join(place)}; x, y and perhaps likelihood are '
                'expected'
            )
    if not places:
        raise ValueError(f'{table.where(header["coords"])}: no columns x and y')
    if unread:
        warnings.warn(
            f'{table.path}: columns that are not read: {", ".join(unread)}',
            stacklevel=4,
        )
    return places


def _refuse_films(table: Table, entries: Sequence[Landmarks]) -> None:
    """Raise if the rows are frames of a film in place of images."""
    if all(entry.file_name.isdigit() for entry in entries):
        raise ValueError(
            f'{table.path}, line {entries[0].line}: the rows are numbered '
            f'{entries[0].file_name}, ..., so they are frames of a film, not image '
            'files; give the table of labelled images (CollectedData_*.csv), or write '
            'the frames as images and their names in place of the numbers'
        )


def read_skeleton(path: str | Path, names: Sequence[str]) -> list[tuple[int, int]]:
    """Read the links of a DeepLabCut project.

    Args:
        path: Its config.yaml; nothing but plain data is read from it.
        names: Names of the K landmarks.

    Returns:
        Pairs of landmarks to link, counted from 0.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it cannot be read, or links others than ``names``.
    """
    try:
        content = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, 'problem_mark', None)
        place = f', line {mark.line + 1}' if mark else ''
        problem = getattr(error, 'problem', None) or type(error).__name__
        raise ValueError(f'{path}{place}: no YAML of plain data: {problem}') from None
    if not isinstance(content, dict) or 'bodyparts' not in content:
        raise ValueError(f'{path} is no config.yaml of DeepLabCut: no "bodyparts"')
    links = content.get('skeleton') or []
    if not isinstance(links, list) or not all(map(_is_pair, links)):
        raise ValueError(f'{path}: "skeleton" is no list of pairs of body parts')
    unknown = sorted({name for link in links for name in link} - set(names))
    if unknown:
        raise ValueError(
            f'{path}: the skeleton links {unknown[0]}, which the table does not have '
            f'(it has {", ".join(names)})'
        )
    return [(names.index(a), names.index(b)) for a, b in links if a != b]


def _is_pair(link: Any) -> bool:
    """Tell whether something is a pair of names."""
    return (
        isinstance(link, list)
        and len(link) == 2
        and all(isinstance(name, str) for name in link)
    )
