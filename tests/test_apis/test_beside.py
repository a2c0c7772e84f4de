"""Reading ahead and writing behind, in their order."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from mmkp.apis.beside import SHOTS, InOrder, read_ahead
from mmkp.apis.media import Shot


def shots(number: int, read: list[int], side: int = 8) -> Iterator[Shot]:
    """So many, noted as they are read."""
    for index in range(number):
        read.append(index)
        yield Shot(str(index), np.full((side, side, 3), index, np.uint8))


def test_shots_come_in_order_and_only_some_are_read_ahead() -> None:
    """All of them, none twice; memory holds a few."""
    read: list[int] = []
    found, ahead = [], []
    for shot in read_ahead(shots(60, read)):
        time.sleep(0.002)
        found.append(int(shot.name))
        ahead.append(len(read) - len(found))
    assert found == list(range(60)) == read
    assert 1 < max(ahead) <= SHOTS


def test_large_images_are_not_read_far_ahead() -> None:
    """The bytes of what waits are bounded."""
    read: list[int] = []
    ahead = []
    for index, _ in enumerate(read_ahead(shots(8, read, side=4000))):  # 48 MB each
        time.sleep(0.1)
        ahead.append(len(read) - index - 1)
    assert max(ahead) <= 2


def test_an_error_comes_behind_what_was_read_before() -> None:
    """Where it would come without threads."""

    def damaged() -> Iterator[Shot]:
        yield from shots(3, [])
        raise OSError('this one is damaged')

    found = []
    with pytest.raises(OSError, match='this one is damaged'):
        for shot in read_ahead(damaged()):
            found.append(shot.name)
    assert found == ['0', '1', '2']


def test_reading_ends_where_looking_does() -> None:
    """No thread goes on reading."""
    read: list[int] = []
    ahead = read_ahead(shots(1000, read))
    next(ahead)
    ahead.close()
    number = len(read)
    time.sleep(0.05)
    assert len(read) == number <= SHOTS + 1
    assert not [t for t in threading.enumerate() if t.name.startswith('reading')]


def test_what_is_written_stands_in_order_whatever_ends_it() -> None:
    """An interrupt waits for it."""
    written: list[int] = []

    def write(index: int) -> None:
        time.sleep(0.01)
        written.append(index)

    with pytest.raises(KeyboardInterrupt), InOrder() as writer:
        for index in range(5):
            writer.do(write, index)
        raise KeyboardInterrupt
    assert written == [0, 1, 2, 3, 4]


def test_an_error_of_writing_is_raised() -> None:
    """At the next thing to write, or at the end."""

    def fail() -> None:
        raise OSError('the disk is full')

    with pytest.raises(OSError, match='full'), InOrder() as writer:
        writer.do(fail)
        writer.do(print)
    with pytest.raises(OSError, match='full'), InOrder() as writer:
        writer.do(fail)
