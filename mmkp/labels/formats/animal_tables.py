# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Between label sets and DeepLabCut's tables: a row an image, a column an animal."""

import warnings
from pathlib import Path

import numpy as np

from ..deeplabcut import AnimalTable
from ..frames import film_beside, frame_name, frame_numbers, stem_of
from ..image_names import find_image
from ..individuals import individual_columns
from ..label_set import LabelSet

#: The animal that has the body parts of which there is one only.
SINGLE = 'single'


def labels_of(found: AnimalTable, path: Path, root: Path | None = None) -> LabelSet:
    """Turn a table into labels; an animal without any cell in a row is not there.

    Args:
        found: Cells of the table.
        path: The file.
        root: Folder that the images are named from; by default the one above
            ``labeled-data``, or else that of the file.

    Returns:
        The labels; ``film`` is set where the rows are frames.
    """
    values = found.values.copy()
    points = values[..., :2]
    half = np.isnan(points).sum(-1) == 1
    if half.any():
        row = np.flatnonzero(half.any((1, 2)))[0]
        points[half] = np.nan
        warnings.warn(
            f'{path}: {int(half.sum())} points have one coordinate only and are taken '
            f'as missing; the first in line {found.lines[row]}',
            stacklevel=4,
        )
    film, root = None, root or _root(path)
    if found.is_of_film:
        root = Path('.')
        film = film_beside(path, stem_of(path).split('DLC')[0] or path.stem)
        names = [frame_name(film, int(name)) for name in found.names]
    else:
        names = [_image_name(name, root, path.parent) for name in found.names]
    images = list(dict.fromkeys(names))
    place = {name: index for index, name in enumerate(images)}
    rows, animals = np.nonzero(np.isfinite(values).any((2, 3)))
    return LabelSet(
        keypoint_names=list(found.parts),
        image_names=images,
        image_index=np.array([place[names[row]] for row in rows], np.int64),
        keypoints=values[rows, animals, :, :2],
        scores=values[rows, animals, :, 2] if found.has_likelihood else None,
        individuals=[found.animals[animal] for animal in animals],
        root=root,
        film=film,
        scorer='' if found.scorer == 'mmkp' else found.scorer,
    )


def table_of(labels: LabelSet, path: Path) -> AnimalTable:
    """Turn labels into a table.

    Args:
        labels: To be written.
        path: The file, for its name.

    Returns:
        The cells; rows are numbers of frames where the labels are of a film.
    """
    animals, columns = individual_columns(labels)
    names = labels.image_names
    if labels.film is not None:
        numbers = frame_numbers(names)
        if numbers is not None:
            names = [str(number) for number in numbers]
    shape = (len(names), max(len(animals), 1), len(labels.keypoint_names), 3)
    values = np.full(shape, np.nan)
    for row, column, points in zip(
        labels.image_index, columns, labels.keypoints, strict=True
    ):
        values[row, column, :, :2] = points
    if labels.scores is not None:
        values[labels.image_index, columns, :, 2] = labels.scores
    return AnimalTable(
        labels.scorer or 'mmkp',
        animals or [''],
        list(labels.keypoint_names),
        names,
        [0] * len(names),
        values,
        labels.scores is not None,
    )


def table_columns(found: AnimalTable) -> list[tuple[int, int]]:
    """Return animal and part of each group of columns, in their order.

    A part that only the animal ``single`` has is left out of the others, and the
    other way round, as DeepLabCut has unique body parts.

    Args:
        found: Cells of a table.
    """
    has = np.isfinite(found.values).any((0, 3))
    pairs = [(a, p) for a in range(len(found.animals)) for p in range(len(found.parts))]
    if SINGLE not in found.animals or len(found.animals) < 2:
        return pairs
    single = found.animals.index(SINGLE)
    unique = has[single] & ~np.delete(has, single, 0).any(0)
    return [(a, p) for a, p in pairs if (a == single) == bool(unique[p])]


def table_header(found: AnimalTable) -> list[tuple[str, list[str]]]:
    """Return the header rows: level and a cell a column.

    Args:
        found: Cells of a table.
    """
    axes = ['x', 'y', 'likelihood'][: 3 if found.has_likelihood else 2]
    columns = table_columns(found)
    rows = [
        ('scorer', [found.scorer for _ in columns]),
        ('individuals', [found.animals[animal] for animal, _ in columns]),
        ('bodyparts', [found.parts[part] for _, part in columns]),
    ]
    if found.animals == ['']:
        del rows[1]
    header = [(level, [c for c in cells for _ in axes]) for level, cells in rows]
    return [*header, ('coords', axes * len(columns))]


def table_numbers(found: AnimalTable) -> np.ndarray:
    """Return the numbers below the header (R, columns), float64.

    Args:
        found: Cells of a table.
    """
    animals, parts = np.array(table_columns(found), np.int64).reshape(-1, 2).T
    numbers = found.values[:, animals, parts, : 3 if found.has_likelihood else 2]
    return numbers.reshape(len(found.names), -1)


def _root(path: Path) -> Path:
    """The project of a table below labeled-data, else its folder."""
    parents = list(path.absolute().parents)
    for index, parent in enumerate(parents[:2]):
        if parent.name == 'labeled-data':
            return parents[index + 1]
    return path.parent


def _image_name(name: str, root: Path, beside: Path) -> str:
    """Name of an image below the root, as the disk has it where it is found."""
    plain = name.replace('\\', '/')
    return (
        plain if (root / plain).is_file() else find_image(root, name, beside) or plain
    )
