# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A label file that is opened as far as it takes to tell its format."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from ..hdf5_file import open_hdf5
from ..json_file import read_json
from ..table import SEPARATORS, Table, read_table
from ..text_file import read_text

_HDF5 = b'\x89HDF\r\n\x1a\n'


class Source:
    """What lies at a path.

    Args:
        path: File or folder.

    Raises:
        FileNotFoundError: If there is nothing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FileNotFoundError(f'{path} does not exist')
        self.is_folder = self.path.is_dir()

    @cached_property
    def head(self) -> bytes:
        """The first bytes of a file, text of UTF-16 as UTF-8."""
        if self.is_folder:
            return b''
        with self.path.open('rb') as file:
            start = file.read(4096)
        if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return start.decode('utf-16', 'ignore').encode()
        return start.removeprefix(codecs.BOM_UTF8)

    @property
    def is_hdf5(self) -> bool:
        """Whether it is an HDF5 file."""
        return self.head.startswith(_HDF5)

    @property
    def is_json(self) -> bool:
        """Whether it begins like a json file."""
        start = self.head.lstrip(b'\x00 \t\r\n')
        return start[:1] in (b'{', b'[')

    @cached_property
    def json(self) -> Any:
        """Content of a json file, None of others."""
        return read_json(self.path, nan=True) if self.is_json else None

    @property
    def separator(self) -> str | None:
        """What is between the columns of a table, None for a comma."""
        first = self.head.lstrip().split(b'\n')[0]
        for name in ('semicolon', 'tab'):
            if first.count(SEPARATORS[name].encode()) > first.count(b','):
                return name
        return None

    @cached_property
    def table(self) -> Table:
        """Rows of a text file."""
        return read_table(self.path, self.separator)

    @cached_property
    def text(self) -> str:
        """Content of a text file."""
        return read_text(self.path)

    @contextmanager
    def hdf5(self) -> Iterator[Any]:
        """The open HDF5 file."""
        with open_hdf5(self.path) as file:
            yield file

    @cached_property
    def hdf5_names(self) -> set[str]:
        """Names at the top of an HDF5 file, and of its attributes."""
        if not self.is_hdf5:
            return set()
        with self.hdf5() as file:
            return {*file, *(f'@{name}' for name in file.attrs)}
