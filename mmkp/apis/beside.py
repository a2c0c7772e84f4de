# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Reading and writing in threads, beside the network."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from mmkp.apis.media import Shot

#: Images that are read ahead, and the bytes that they take, at most.
SHOTS, BYTES = 16, 2**27


def read_ahead(shots: Iterator[Shot]) -> Generator[Shot, None, None]:
    """Read the next images while the ones before are looked at.

    Args:
        shots: one after the other; errors come where they would without it.

    Yields:
        The same, in their order.
    """
    end = object()
    with ThreadPoolExecutor(1, 'reading') as pool:
        coming: deque[Future] = deque([pool.submit(next, shots, end)])
        try:
            while (shot := coming[0].result()) is not end:
                coming.popleft()
                number = int(min(SHOTS, max(1, BYTES // max(1, shot.image.nbytes))))
                while len(coming) < number:
                    coming.append(pool.submit(next, shots, end))
                yield shot
        finally:
            for future in coming:
                future.cancel()


class InOrder:
    """Does things in a thread, one after the other, in the order they were asked for.

    Use as a context manager, which waits for all of them, whatever ends it.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, 'writing')
        self._last: Future | None = None

    def __enter__(self) -> 'InOrder':
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown()
        if exception[0] is None:
            self._wait()

    def do(self, function: Callable, *args: Any) -> None:
        """Do it once what was asked for before is done, at most one thing is waiting.

        Args:
            function: to call.
            *args: its arguments.

        Raises:
            Exception: that of what was asked for before.
        """
        self._wait()
        self._last = self._pool.submit(function, *args)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()
