# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""DeepLabCut's tables as pandas writes them to HDF5.

pandas writes them here. It does not read them, as it runs what a file has pickled.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..deeplabcut import AnimalTable
from ..hdf5_file import import_for, plain_pickle
from ..label_set import LabelSet
from ..number_text import plain_text
from .animal_tables import labels_of, table_header, table_numbers, table_of
from .source import Source

_KEY = 'df_with_missing'
_AXES = ('x', 'y', 'likelihood')
_LEVELS = ('scorer', 'individuals', 'bodyparts', 'coords')


def recognize(source: Source) -> bool:
    """Tell whether an HDF5 file holds a table of pandas.

    Args:
        source: What lies at a path.
    """
    if not source.is_hdf5:
        return False
    with source.hdf5() as file:
        return any('pandas_type' in file[name].attrs for name in file if name in file)


def read(source: Source) -> LabelSet:
    """Read a table in pandas' format "fixed" or "table".

    Args:
        source: The file.

    Returns:
        The labels.

    Raises:
        ValueError: If the table is another one, or what it is cannot be told without
            running what the file holds.
    """
    path = source.path
    with source.hdf5() as file:
        groups = [name for name in file if 'pandas_type' in file[name].attrs]
        if len(groups) != 1:
            raise ValueError(
                f'{path} holds {len(groups)} tables of pandas, expected one'
            )
        group = file[groups[0]]
        kind = _text(group.attrs['pandas_type'])
        if kind == 'frame':
            columns, levels, names, values = _fixed(group, path)
        elif kind == 'frame_table':
            columns, levels, names, values = _table(group, path)
        else:
            raise ValueError(f'{path} holds a {kind!r:.40} of pandas, not a table')
    if any(len(column) != len(levels) for column in columns):
        raise ValueError(f'{path}: its columns are not named by {", ".join(levels)}')
    return labels_of(_animals(columns, levels, names, values, path), path)


def write(labels: LabelSet, path: Path) -> None:
    """Write a table in pandas' format "fixed".

    Args:
        labels: To be written.
        path: File.

    Raises:
        ImportError: If pandas or tables is not installed.
    """
    pandas = import_for('pandas', path)
    import_for('tables', path)
    found = table_of(labels, path)
    header = table_header(found)
    # Text as objects: DeepLabCut's pandas does not know pandas' later type of text.
    columns = pandas.MultiIndex.from_arrays(
        [pandas.Index(cells, dtype=object) for _, cells in header],
        names=[level for level, _ in header],
    )
    if found.is_of_film:
        index = pandas.Index([int(name) for name in found.names])
    else:
        index = pandas.Index(found.names, dtype=object)
    frame = pandas.DataFrame(table_numbers(found), index=index, columns=columns)
    frame.to_hdf(path, key=_KEY, mode='w', format='fixed')


def _fixed(group: Any, path: Path) -> tuple[list, list[str], list[str], np.ndarray]:
    """Columns, their levels, names of rows and values of the format "fixed"."""
    if int(group.attrs.get('nblocks', 0)) != 1:
        raise ValueError(f'{path}: the columns are of several types')
    columns = _axis(group, 'axis0', path)
    count = int(group.attrs['axis0_nlevels'])
    levels = [_name(group[f'axis0_level{i}'], path) for i in range(count)]
    items = _axis(group, 'block0_items', path)
    values = np.asarray(_array(group['block0_values'], path), np.float64)
    if values.shape != (len(_axis(group, 'axis1', path)), len(items)):
        raise ValueError(f'{path}: its values have the shape {values.shape}')
    order = {column: place for place, column in enumerate(items)}
    names = ['/'.join(row) for row in _axis(group, 'axis1', path)]
    return columns, levels, names, values[:, [order[column] for column in columns]]


def _axis(group: Any, name: str, path: Path) -> list[tuple[str, ...]]:
    """Entries of an index, each a tuple of its levels."""
    variety = _text(group.attrs.get(f'{name}_variety', b'regular'))
    if variety == 'regular':
        return [(text,) for text in _texts(_array(group[name], path))]
    levels = []
    for level in range(int(group.attrs[f'{name}_nlevels'])):
        texts = _texts(_array(group[f'{name}_level{level}'], path))
        codes = _array(group[f'{name}_label{level}'], path).tolist()
        levels.append([texts[code] if code >= 0 else '' for code in codes])
    return list(zip(*levels, strict=True))


def _table(group: Any, path: Path) -> tuple[list, list[str], list[str], np.ndarray]:
    """The same of the format "table", whose names are pickles of plain text."""
    axes = plain_pickle(group.attrs['non_index_axes'], path)
    columns = [_parts(column, path) for column in axes[0][1]]
    info = plain_pickle(group.attrs['info'], path)
    levels = list(_parts(info[1].get('names') or _LEVELS, path))
    table = group['table'][()]
    fields = table.dtype.names
    blocks = [field for field in fields if field.startswith('values_block_')]
    if len(blocks) != 1:
        raise ValueError(f'{path}: the columns are of several types')
    kind = plain_pickle(group['table'].attrs[f'{blocks[0]}_kind'], path)
    items = [_parts(column, path) for column in kind]
    order = {column: place for place, column in enumerate(items)}
    values = np.asarray(table[blocks[0]], np.float64).reshape(len(table), -1)
    rows = [field for field in fields if field not in blocks]
    texts = [_texts(table[field]) for field in rows]
    names = ['/'.join(cells) for cells in zip(*texts, strict=True)]
    return columns, levels, names, values[:, [order[column] for column in columns]]


def _parts(column: Any, path: Path) -> tuple[str, ...]:
    """Levels of the name of a column."""
    return tuple(plain_text(part, path) for part in column)


def _animals(
    columns: list, levels: list[str], names: list[str], values: np.ndarray, path: Path
) -> AnimalTable:
    """Cells by animal, part and axis."""
    if not {'bodyparts', 'coords'} <= set(levels):
        raise ValueError(
            f'{path} is no table of DeepLabCut: its columns are named by '
            f'{", ".join(levels)}'
        )
    at = {level: levels.index(level) for level in _LEVELS if level in levels}
    which = at.get('individuals')
    of_animal = ['' if which is None else column[which] for column in columns]
    animals = list(dict.fromkeys(of_animal))
    parts = list(dict.fromkeys(column[at['bodyparts']] for column in columns))
    cells = np.full((len(names), len(animals), len(parts), 3), np.nan)
    for place, (column, animal) in enumerate(zip(columns, of_animal, strict=True)):
        axis = column[at['coords']]
        if axis not in _AXES:
            raise ValueError(f'{path}: a column is of {axis!r:.40}, not x or y')
        part = parts.index(column[at['bodyparts']])
        cells[:, animals.index(animal), part, _AXES.index(axis)] = values[:, place]
    scorer = columns[0][at['scorer']] if columns and 'scorer' in at else ''
    has_likelihood = any(column[at['coords']] == 'likelihood' for column in columns)
    lines = list(range(1, len(names) + 1))
    return AnimalTable(scorer, animals, parts, names, lines, cells, has_likelihood)


def _array(dataset: Any, path: Path) -> np.ndarray:
    """An array of numbers or bytes; pandas pickles those of mixed types."""
    if dataset.dtype.hasobject or 'VLARRAY' in _text(dataset.attrs.get('CLASS', b'')):
        if _text(dataset.attrs.get('PSEUDOATOM', b'')) == 'object':
            return np.array(plain_pickle(dataset[0], path))
        raise ValueError(f'{path}: {dataset.name} holds Python objects')
    array = dataset[()]
    return array.T if dataset.attrs.get('transposed') and array.ndim > 2 else array


def _texts(array: Any) -> list[str]:
    """Text of numbers, bytes or text."""
    return [_text(value) for value in np.asarray(array).tolist()]


def _text(value: Any) -> str:
    return value.decode('utf-8') if isinstance(value, bytes) else str(value)


def _name(dataset: Any, path: Path) -> str:
    """Name of a level of an index."""
    value = dataset.attrs.get('name', b'')
    return _text(value)
