# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What is predicted of each image, written as it comes and put together at the end."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mmkp.ops.finite import finite_or_none

RECORDS = 'keypoints.jsonl'
KEYPOINTS = 'keypoints.json'


class RecordFile:
    """A record a line, beside the json file that is made of them at the end.

    A killed program leaves the lines that it has written; only one of them is in
    memory at a time.

    Args:
        folder: of both files.
        resume: whether to go on behind the lines that are there.
    """

    def __init__(self, folder: str | Path, resume: bool = False) -> None:
        folder = Path(folder)
        self.path, self.result = folder / RECORDS, folder / KEYPOINTS
        self.names: list[str] = []
        if resume:
            if not self.path.is_file() and self.result.is_file():
                self._take_apart()
            self._drop_half_line()
            self.names = [record['image'] for record in self]
        else:
            self.path.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[dict]:
        """Records that were written, one after the other."""
        for number, line in enumerate(self._lines(), 1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                raise ValueError(
                    f'{self.path}, line {number}: it is damaged; begin anew, without '
                    '--resume'
                ) from None

    def append(self, records: Iterable[dict]) -> None:
        """Write further records down.

        Args:
            records: plain data; numbers that are not finite become null.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open('a', encoding='utf-8') as file:
            for record in records:
                file.write(json.dumps(finite_or_none(record)) + '\n')
                self.names.append(record['image'])

    def replace(self, records: Iterable[dict]) -> None:
        """Write others in their place.

        Args:
            records: as many; they may be made from those of an iteration.
        """
        other = self.path.with_suffix('.partial')
        with other.open('w', encoding='utf-8') as file:
            for record in records:
                file.write(json.dumps(finite_or_none(record)) + '\n')
        os.replace(other, self.path)

    def assemble(
        self, before: dict[str, Any], after: dict[str, Any], done: bool = True
    ) -> Path:
        """Make the json file of all records.

        Args:
            before: what it says before its ``images``.
            after: what it says behind them.
            done: whether no more records will come.

        Returns:
            Path of the json file, which appears as a whole.
        """
        partial = self.result.with_suffix('.partial')
        begin = json.dumps(finite_or_none({**before, 'images': []}))
        end = json.dumps(finite_or_none(after))[1:-1]
        with partial.open('w', encoding='utf-8') as file:
            file.write(begin[:-2])
            for index, line in enumerate(self._lines()):
                file.write(', ' * (index > 0) + line.rstrip('\n'))
            file.write(f']{", " * bool(end)}{end}}}')
        os.replace(partial, self.result)
        if done:
            self.path.unlink(missing_ok=True)
        return self.result

    def _lines(self) -> Iterator[str]:
        if self.path.is_file():
            with self.path.open(encoding='utf-8') as file:
                yield from file

    def _take_apart(self) -> None:
        """Lines of a json file that was put together after an interruption."""
        images = json.loads(self.result.read_text(encoding='utf-8'))['images']
        self.replace(images)

    def _drop_half_line(self) -> None:
        """Forget the line during which a program was killed."""
        if not self.path.is_file():
            return
        with self.path.open('rb+') as file:
            whole = 0
            for line in file:
                whole += len(line) if line.endswith(b'\n') else 0
            file.truncate(whole)
