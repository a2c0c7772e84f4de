# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How far a long prediction is, how fast, and when it will be done."""

import sys
import time
from collections import deque

_MINUTE = 60.0


class Progress:
    """Tells on the standard error stream how far it is, how fast, and what is left.

    On a terminal the line is renewed five times a second, elsewhere there is one a
    minute.

    Args:
        length: number of items in all, None where unknown.
        unit: what they are called.
    """

    def __init__(self, length: int | None, unit: str = 'images') -> None:
        self.unit, self.length = unit, length
        self.total = f'/{length}' if length else ''
        self.is_terminal = sys.stderr.isatty()
        self.start, self.told, self.number = time.monotonic(), 0.0, 0
        self._recent: deque[tuple[float, int]] = deque([(0.0, 0)], maxlen=32)

    def add(self, number: int) -> None:
        """So many more are done."""
        self.number += number
        elapsed = time.monotonic() - self.start
        self._recent.append((elapsed, self.number))
        if elapsed - self.told > (0.2 if self.is_terminal else _MINUTE):
            self.told = elapsed
            print(
                f'{self.number}{self.total} {self.unit}, '
                f'{self.number / elapsed:.1f} a second{self._left(elapsed)}  ',
                end='\r' if self.is_terminal else '\n',
                file=sys.stderr,
                flush=True,
            )

    def _left(self, elapsed: float) -> str:
        """What is left at the rate of late."""
        before, number = self._recent[0]
        if not self.length or self.number <= number or self.number > self.length:
            return ''
        rate = (self.number - number) / max(elapsed - before, 1e-9)
        seconds = round((self.length - self.number) / rate)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        clock = f'{hours}:{minutes:02d}' if hours else f'{minutes}'
        return f', {clock}:{seconds:02d} left'

    def finish(self, remark: str = '') -> None:
        """All are done.

        Args:
            remark: what else to say of them.
        """
        elapsed = max(time.monotonic() - self.start, 1e-9)
        rate = f'{self.number / elapsed:.1f} a second'
        print(
            f'{self.number} {self.unit} in {elapsed:.1f} s, {rate}{remark}',
            file=sys.stderr,
        )
