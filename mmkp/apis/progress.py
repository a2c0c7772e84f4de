# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How far a long prediction is, and how fast."""

import sys
import time


class Progress:
    """Tells on the standard error stream how far it is, and how fast.

    Args:
        length: number of items in all, None where unknown.
        unit: what they are called.
    """

    def __init__(self, length: int | None, unit: str = 'images') -> None:
        self.unit = unit
        self.total = f'/{length}' if length else ''
        self.is_terminal = sys.stderr.isatty()
        self.start, self.told, self.number = time.monotonic(), 0.0, 0

    def add(self, number: int) -> None:
        """So many more are done."""
        self.number += number
        elapsed = time.monotonic() - self.start
        if elapsed - self.told > (0.2 if self.is_terminal else 10.0):
            self.told = elapsed
            rate = f'{self.number / elapsed:.1f} a second'
            line = f'{self.number}{self.total} {self.unit}, {rate}  '
            print(line, end='\r' if self.is_terminal else '\n', file=sys.stderr)

    def finish(self) -> None:
        """All are done."""
        elapsed = max(time.monotonic() - self.start, 1e-9)
        rate = f'{self.number / elapsed:.1f} a second'
        print(f'{self.number} {self.unit} in {elapsed:.1f} s, {rate}', file=sys.stderr)
