# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Read the numbers of a table, gaps among them, without guessing what commas mean."""

import math
import re
import warnings

from .table import Row, Table

GAPS = frozenset(('', 'nan', 'na', 'n/a', '#n/a', 'null', 'none', '-', '--'))
_NUMBER = re.compile(r'[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[-+]?\d+)?', re.I | re.A)


class NumberReader:
    """Reads numbers with a decimal point, or all of them with a decimal comma.

    Args:
        table: Where the numbers are from. Commas are decimal ones only where they do
            not separate the columns.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._first: dict[str, Row] = {}
        self._commas = 0

    def __call__(self, text: str, row: Row) -> float:
        """Read one number.

        Args:
            text: A cell.
            row: Its row, for messages.

        Returns:
            The number, NaN for a gap (see ``GAPS``).

        Raises:
            ValueError: If it is no finite number, or may be one with separators of
                thousands.
        """
        text = text.strip()
        if text.lower() in GAPS:
            return math.nan
        where = self.table.where(row)
        if not _NUMBER.fullmatch(text) or (',' in text and self.table.separator == ','):
            raise ValueError(
                f'{where}: {text[:40]!r} is no number; write digits with a decimal '
                'point, without separators of thousands or units, and nothing where '
                'there is none'
            )
        for mark in '.,':
            if mark in text:
                self._first.setdefault(mark, row)
        self._commas += ',' in text
        if len(self._first) == 2:
            other = self._first['.' if ',' in text else ',']
            raise ValueError(
                f'{where}: {text!r} has another decimal mark than line {other.line}; '
                'one of them may be a separator of thousands: write all numbers with a '
                'decimal point'
            )
        value = float(text.replace(',', '.'))
        if not math.isfinite(value):
            raise ValueError(f'{where}: {text!r} is too large for a number')
        return value

    def tell(self) -> None:
        """Warn if commas were read as decimal ones."""
        if self._commas:
            warnings.warn(
                f'{self.table.where(self._first[","])}: {self._commas} numbers with a '
                'comma, of which this is the first, were read as decimal ones',
                stacklevel=2,
            )
