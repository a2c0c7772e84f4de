# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read tables of text as Excel, pandas and scripts write them."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from .text_file import read_text

SEPARATORS = {'comma': ',', 'semicolon': ';', 'tab': '\t', 'blank': ' '}


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        line: Line of the file where it begins, counted from 1.
        cells: Its cells without the blanks around them.
    """

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """The rows of a text file, header lines included.

    Attributes:
        path: The file.
        separator: Character between the columns.
        rows: Those that are not empty, at least one.
    """

    path: Path
    separator: str
    rows: list[Row]

    def where(self, row: Row) -> str:
        """Return file and line of a row, for messages."""
        return f'{self.path}, line {row.line}'


def read_table(
    path: str | Path, separator: str | None = None, ragged: bool = False
) -> Table:
    """Read a table; empty lines, and empty columns at its right, are left out.

    Args:
        path: Text file, see :func:`read_text`.
        separator: Name of what is between the columns, a key of ``SEPARATORS``;
            ``None``: what the file says in a line ``sep=;`` or by its name (.tsv),
            else a comma.
        ragged: Whether rows may have fewer or more cells than the first.

    Returns:
        The table.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is no text, its columns are separated otherwise, quotes are
            not closed, or rows differ in length.
    """
    path, text = Path(path), read_text(path)
    first_line = text.lstrip().splitlines()[0]
    declared = re.fullmatch(r'"?sep=(.)"?[,;\t ]*', first_line, re.IGNORECASE)
    if separator is not None:
        character = SEPARATORS[separator]
    elif declared:
        character = declared[1]
    elif path.suffix.lower() in ('.tsv', '.tab'):
        character = '\t'
    else:
        character = ','
        _refuse_other_separators(path, first_line)
    rows = _split(path, text, character)[1 if declared else 0 :]
    if not rows:
        raise ValueError(f'{path} has no rows')
    return Table(path, character, rows if ragged else _even(path, rows))


def _refuse_other_separators(path: Path, line: str) -> None:
    """Raise if the columns of a first line are not separated by commas."""
    for name in ('semicolon', 'tab'):
        if line.count(SEPARATORS[name]) > line.count(','):
            raise ValueError(
                f'{path} separates its columns by a {name}, not by a comma; say so '
                f'with --separator {name} (decimal commas are then read too)'
            )
    if ',' not in line and len(line.split()) > 2:
        raise ValueError(
            f'{path} separates its columns by blanks, not by a comma; say so with '
            '--separator blank'
        )


def _split(path: Path, text: str, separator: str) -> list[Row]:
    """Split a text into rows that are not empty."""
    rows = []
    if separator == ' ':
        for line, words in enumerate(text.splitlines(), 1):
            rows.append(Row(line, words.split()))
        return [row for row in rows if row.cells]
    reader = csv.reader(
        io.StringIO(text, newline=''),
        delimiter=separator,
        skipinitialspace=True,
        strict=True,
    )
    line = 1
    try:
        for cells in reader:
            rows.append(Row(line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f'{path}, line {line}: the row cannot be split into cells: {error}; close '
            'its quotes'
        ) from None
    return [row for row in rows if any(row.cells)]


def _even(path: Path, rows: list[Row]) -> list[Row]:
    """Give all rows the length of the first, or raise."""
    width = len(rows[0].cells)
    while not any(''.join(row.cells[width - 1 : width]) for row in rows):
        width -= 1
    even = []
    for row in rows:
        cells = row.cells
        while len(cells) > width and not cells[-1]:
            cells = cells[:-1]
        if len(cells) != width:
            raise ValueError(
                f'{path}, line {row.line}: {len(cells)} cells where the first row has '
                f'{width}; quote cells that hold a separator, and write a separator '
                'for each empty cell'
            )
        even.append(Row(row.line, cells))
    return even
