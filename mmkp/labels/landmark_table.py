# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read tables of landmarks: a column of lists, columns x0, y0, ..., or DeepLabCut's."""

import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .deeplabcut import is_deeplabcut, parse_deeplabcut
from .landmarks import Landmarks, LandmarkTable
from .table import Row, Table, read_table
from .table_numbers import GAPS, NumberReader

# x0, y0, x1, y1, ... and nose_x, nose_y, tail.x, tail.y, ...
_NUMBERED = re.compile(r'([xyz])_?(\d+)')
_NAMED = re.compile(r'(.+)[._ ]([xyz])')
_NONE = np.zeros((0, 2))


def read_landmarks(
    path: str | Path,
    file_column: str = 'file_name',
    separator: str | None = None,
    missing: float = np.nan,
    min_likelihood: float = 0.0,
) -> LandmarkTable:
    """Read a table of landmarks, and warn of what is left out or guessed.

    Args:
        path: Text file. Tables of DeepLabCut are known by their header.
        file_column: Name of the column of the images; DeepLabCut's is the first.
        separator: See :func:`read_table`.
        missing: Landmarks both of whose coordinates are this number are missing.
        min_likelihood: Predicted landmarks of a lower likelihood are missing.

    Returns:
        The landmarks. Rows without any are left out, as are repeated rows.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is no such table; the message names line and value.
    """
    table = read_table(path, separator)
    numbers = NumberReader(table)
    if is_deeplabcut(table):
        found = parse_deeplabcut(table, numbers, min_likelihood)
    else:
        found = _parse_plain(table, numbers, file_column)
    numbers.tell()
    for entry in found.entries:
        entry.points[(entry.points == missing).all(1)] = np.nan
    _hide_halves(found)
    _drop_empty(found)
    _drop_repeated(found)
    return found


def _parse_plain(
    table: Table, numbers: NumberReader, file_column: str
) -> LandmarkTable:
    """Read a table with one header row."""
    header, *rows = table.rows
    columns = _columns(table, header, file_column)
    if not rows:
        raise ValueError(f'{table.path} has a header, but no rows below it')
    names_at = columns.pop(file_column)
    if 'keypoints' in columns:
        read_at = {columns.pop('keypoints')}
        points = _lists(table, rows, min(read_at))
        names = [f'point_{index}' for index in range(len(points[0]))]
    else:
        pairs = _pairs(table, columns)
        read_at = {column for pair in pairs.values() for column in pair}
        points = [
            np.array([[numbers(row.cells[i], row) for i in p] for p in pairs.values()])
            for row in rows
        ]
        names = list(pairs)
    unread = [n or '(no name)' for n, i in columns.items() if i not in read_at]
    if unread:
        warnings.warn(
            f'{table.path}: columns that are not read: {_listing(unread)}', stacklevel=3
        )
    entries = [
        Landmarks(row.cells[names_at], array, row.line)
        for row, array in zip(rows, points, strict=True)
    ]
    return LandmarkTable(table.path, names, entries)


def _columns(table: Table, header: Row, file_column: str) -> dict[str, int]:
    """Return the places of the columns by name."""
    names = header.cells
    twice = sorted({n for n in names if n and names.count(n) > 1})
    if twice:
        raise ValueError(
            f'{table.where(header)}: the column {twice[0]} is there twice; rename or '
            'remove one'
        )
    if file_column in names:
        return {name: place for place, name in enumerate(names)}
    if any(re.fullmatch(r'[-+]?[\d.,]+', name) for name in names):
        raise ValueError(
            f'{table.where(header)} has no column {file_column} and looks like data: '
            f'write a header above it, such as {file_column},x0,y0,x1,y1'
        )
    if names[0] in ('track', 'frame_idx', 'instance.score') or 'fnum' in names:
        raise ValueError(
            f'{table.path} is a table of a film, as SLEAP and anipose write them: its '
            'rows are frames, not image files; write its frames as images and add a '
            f'column {file_column} of their names'
        )
    raise ValueError(
        f'{table.path} has no column {file_column} (it has {_listing(names)}); set '
        '--file-column'
    )


def _pairs(table: Table, columns: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Find the columns of x and y of each landmark."""
    numbered = {n: m for n in columns if (m := _NUMBERED.fullmatch(n))}
    named = {n: m for n in columns if (m := _NAMED.fullmatch(n))}
    axes: dict[str, dict[str, int]] = {}
    if numbered:
        count = len({int(match[2]) for match in numbered.values()})
        axes = {f'point_{index}': {} for index in range(count)}
        for name, match in numbered.items():
            place = axes.setdefault(f'point_{int(match[2])}', {})
            place[match[1]] = columns[name]
    else:
        for name, match in named.items():
            axes.setdefault(match[1], {})[match[2]] = columns[name]
    if not axes:
        raise ValueError(
            f'{table.path}: neither a column keypoints nor x0, y0, x1, y1, ... nor '
            f'nose_x, nose_y, ...; it has {_listing(list(columns))}'
        )
    for landmark, found in axes.items():
        for axis in 'xy':
            if axis not in found:
                wanted = f'{landmark}_{axis}'
                if numbered:
                    wanted = axis + landmark.removeprefix('point_')
                raise ValueError(
                    f'{table.path} has no column {wanted}; each landmark needs two, '
                    f'x0, y0, x1, y1, ... without a gap, or nose_x, nose_y, ...; it '
                    f'has {_listing(list(columns))}'
                )
        if 'z' in found:
            raise ValueError(
                f'{table.path} has a third coordinate of {landmark}; only landmarks in '
                'images are read, x and y'
            )
    return {name: (found['x'], found['y']) for name, found in axes.items()}


def _lists(table: Table, rows: Sequence[Row], column: int) -> list[np.ndarray]:
    """Read a column of lists of points, all of one length; gaps become NaN."""
    lists: list[np.ndarray] = []
    for row in rows:
        text = row.cells[column]
        lists.append(_listed(row, text, table) if text.lower() not in GAPS else _NONE)
    counts = {len(points): row.line for points, row in zip(lists, rows, strict=True)}
    counts.pop(0, None)
    if len(counts) != 1:
        raise ValueError(
            f'{table.path}: {" and ".join(map(str, counts)) or "no"} points are in the '
            f'column keypoints (lines {", ".join(map(str, counts.values()))}); all '
            'rows need the same number, null where one is missing'
        )
    missing = np.full((*counts, 2), np.nan)
    return [points if len(points) else missing.copy() for points in lists]


def _listed(row: Row, text: str, table: Table) -> np.ndarray:
    """Read points (K, 2) from a cell ``[[x, y], ...]``, or with a visibility each."""
    where = table.where(row)
    try:
        values = np.array(json.loads(text), np.float64)
    except (ValueError, TypeError, RecursionError, OverflowError):
        values = np.zeros(0)
    if values.ndim == 1 and values.size and values.size % 2 == 0 and values.size % 3:
        values = values.reshape(-1, 2)
    if values.ndim != 2 or values.shape[1] not in (2, 3):
        raise ValueError(
            f'{where}: the points cannot be read: {text[:60]!r} is no list '
            '[[x, y], ...] of numbers, null where one is missing'
        )
    if np.isinf(values).any():
        raise ValueError(f'{where}: the points hold a number that is not finite')
    points = values[:, :2].copy()
    if values.shape[1] == 3:
        points[values[:, 2] == 0] = np.nan
    return points


def _hide_halves(found: LandmarkTable) -> None:
    """Hide points of which one coordinate is missing, and say so."""
    lines = []
    for entry in found.entries:
        half = np.isnan(entry.points).sum(1) == 1
        entry.points[half] = np.nan
        lines += [entry.line] * int(half.sum())
    _tell(found.path, lines, 'points have one coordinate only and are taken as missing')


def _drop_empty(found: LandmarkTable) -> None:
    """Leave out entries without a point."""
    empty = [e for e in found.entries if np.isnan(e.points).all()]
    found.entries = [e for e in found.entries if not np.isnan(e.points).all()]
    _tell(found.path, [e.line for e in empty], 'rows without any point are left out')


def _drop_repeated(found: LandmarkTable) -> None:
    """Leave out entries that say the same twice; several of one image are objects."""
    kept: dict[str, list[Landmarks]] = {}
    repeated, more = [], []
    for entry in found.entries:
        before = kept.setdefault(entry.file_name, [])
        if any(np.array_equal(e.points, entry.points, equal_nan=True) for e in before):
            repeated.append(entry)
            continue
        if before and before[-1].line != entry.line:
            more.append(entry.line)
        before.append(entry)
    found.entries = [e for e in found.entries if not any(e is r for r in repeated)]
    lines = [entry.line for entry in repeated]
    _tell(found.path, lines, 'rows repeat an image with the same points; left out')
    _tell(
        found.path,
        more,
        'rows name an image again, with other points: they are taken for further '
        'objects in it',
    )


def _tell(path: Path, lines: Sequence[int], what: str) -> None:
    """Warn of what was found in some lines."""
    if lines:
        warnings.warn(
            f'{path}: {len(lines)} {what}; the first in line {lines[0]}', stacklevel=4
        )


def _listing(names: Sequence[str]) -> str:
    """Return some names for a message."""
    shown = ', '.join(' '.join(name.split())[:30] for name in names[:8])
    return shown + (f', ... ({len(names)} in all)' if len(names) > 8 else '')
