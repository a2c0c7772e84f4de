# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What was changed in a file, said once with a count and the first name."""

import logging

from mmengine.logging import print_log

# Of this process: a file is read by the data set and by the metric.
_told: set[str] = set()


class Notes:
    """Collects remarks on the entries of one file.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._remarks: dict[str, tuple[int, str]] = {}

    def add(self, remark: str, name: str) -> None:
        """Note a remark on an entry.

        Args:
            remark: What follows the number of entries, e.g. ``annotations have …``.
            name: Of the entry, e.g. ``annotation 7 of a.jpg``.
        """
        count, first = self._remarks.get(remark, (0, name))
        self._remarks[remark] = (count + 1, first)

    def lines(self) -> list[str]:
        """Return one sentence a kind of remark."""
        return [
            f'{self.path}: {count} {remark}; the first: {first}'
            for remark, (count, first) in self._remarks.items()
        ]

    def tell(self) -> None:
        """Warn, once a process, of all that was noted."""
        for line in self.lines():
            if line not in _told:
                _told.add(line)
                print_log(line, logger='current', level=logging.WARNING)
