# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""One row a keypoint, csv: image, individual, keypoint, x, y, score."""

import csv
import io
from pathlib import Path

import numpy as np

from ..label_set import LabelSet
from ..table import Row
from ..table_numbers import NumberReader
from .source import Source

COLUMNS = ('image', 'individual', 'keypoint', 'x', 'y', 'score')
_NEEDED = ('image', 'keypoint', 'x', 'y')


def recognize(source: Source) -> bool:
    """Tell whether the first row of a text file names the columns.

    Args:
        source: What lies at a path.
    """
    first = source.head.split(b'\n')[0].lower()
    if not all(name.encode() in first for name in _NEEDED):
        return False
    return set(_NEEDED) <= {cell.lower() for cell in source.table.rows[0].cells}


def read(source: Source) -> LabelSet:
    """Read a table in any order of its columns and rows.

    A row without a keypoint names an image without objects. Where a keypoint of an
    image and individual is there again, a further object begins.

    Args:
        source: The file.

    Returns:
        The labels.

    Raises:
        ValueError: If a column is missing or a cell is no number.
    """
    table = source.table
    header = [cell.lower() for cell in table.rows[0].cells]
    lacking = [name for name in _NEEDED if name not in header]
    if lacking:
        raise ValueError(
            f'{source.path} has no column {", ".join(lacking)}; its first row has to '
            f'name {", ".join(COLUMNS)}'
        )
    at = {name: header.index(name) for name in COLUMNS if name in header}
    numbers = NumberReader(table)
    images: dict[str, int] = {}
    keypoints: dict[str, int] = {}
    objects: list[tuple[int, str, dict[int, tuple[float, ...]]]] = []
    last: dict[tuple[str, str], int] = {}
    for row in table.rows[1:]:
        cells = {name: row.cells[place] for name, place in at.items()}
        individual = cells.get('individual', '')
        if not cells['image']:
            raise ValueError(f'{table.where(row)}: the cell of the image is empty')
        image = images.setdefault(cells['image'], len(images))
        if not cells['keypoint']:
            continue
        part = keypoints.setdefault(cells['keypoint'], len(keypoints))
        who = (cells['image'], individual)
        if who not in last or part in objects[last[who]][2]:
            last[who] = len(objects)
            objects.append((image, individual, {}))
        objects[last[who]][2][part] = _point(cells, row, numbers)
    numbers.tell()
    if not keypoints:
        raise ValueError(f'{source.path} has no row with a keypoint')
    values = np.full((len(objects), len(keypoints), 3), np.nan)
    for place, (_, _, points) in enumerate(objects):
        for part, point in points.items():
            values[place, part] = point
    values[np.isnan(values[..., :2]).any(-1), :2] = np.nan
    has_scores = bool(np.isfinite(values[..., 2]).any())
    return LabelSet(
        keypoint_names=list(keypoints),
        image_names=list(images),
        image_index=np.array([image for image, _, _ in objects], np.int64),
        keypoints=values[..., :2],
        scores=values[..., 2] if has_scores else None,
        individuals=[individual for _, individual, _ in objects],
        root=source.path.parent,
    )


def write(labels: LabelSet, path: Path) -> None:
    """Write a table; a missing point has empty cells.

    Args:
        labels: To be written.
        path: File.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator='\n')
    rows.writerow(COLUMNS)
    order: list[list[int]] = [[] for _ in labels.image_names]
    for index, image in enumerate(labels.image_index.tolist()):
        order[image].append(index)
    for name, indices in zip(labels.image_names, order, strict=True):
        if not indices:
            rows.writerow([name, *[''] * 5])
        for index in indices:
            scores = None if labels.scores is None else labels.scores[index]
            for part, keypoint in enumerate(labels.keypoint_names):
                values = [*labels.keypoints[index, part]]
                values.append(np.nan if scores is None else scores[part])
                cells = ('' if np.isnan(v) else repr(float(v)) for v in values)
                rows.writerow([name, labels.individuals[index], keypoint, *cells])
    path.write_text(text.getvalue(), encoding='utf-8')


def _point(cells: dict[str, str], row: Row, numbers: NumberReader) -> tuple[float, ...]:
    """Numbers x, y and score of a row."""
    return tuple(numbers(cells.get(name, ''), row) for name in ('x', 'y', 'score'))
