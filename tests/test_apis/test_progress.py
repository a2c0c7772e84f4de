"""How far, how fast, and how long still."""

import io
import sys

import pytest

from mmkp.apis import progress
from mmkp.apis.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
    return now


def lines_of(stream, clock, monkeypatch, length, seconds):
    monkeypatch.setattr(sys, 'stderr', stream)
    told = Progress(length, 'frames')
    for _ in range(40):
        clock[0] += seconds
        told.add(10)
    told.finish(' (network alone: 9)')
    return stream.getvalue().replace('\r', '\n').splitlines()


def test_a_terminal_has_the_time_that_is_left(clock, monkeypatch):
    lines = lines_of(Terminal(), clock, monkeypatch, 1000, 2.0)
    assert lines[0].strip() == '10/1000 frames, 5.0 a second, 3:18 left'
    assert lines[-2].strip() == '400/1000 frames, 5.0 a second, 2:00 left'
    assert lines[-1] == '400 frames in 80.0 s, 5.0 a second (network alone: 9)'


def test_a_file_has_a_line_a_minute(clock, monkeypatch):
    lines = lines_of(io.StringIO(), clock, monkeypatch, None, 10.0)
    assert [line.split()[0] for line in lines] == [
        '70', '140', '210', '280', '350', '400',
    ]  # fmt: skip
    assert 'left' not in ''.join(lines)
    hours = lines_of(io.StringIO(), clock, monkeypatch, 100000, 10.0)
    assert '27:45:30 left' in hours[0]
