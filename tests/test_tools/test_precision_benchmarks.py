# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The benchmarks of precision print what they measure."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / 'tools' / 'benchmarks'


def rows(name: str, *arguments: str) -> list[list[str]]:
    """Cells of the rows that a benchmark prints."""
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith('| ')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines[1:]]


def test_no_position_moves_under_autocast():
    found = rows('rounded_positions.py')
    assert len(found) == 6
    for _, *cells in found:
        assert len(set(cells)) == 1
        mean, largest = (float(v) for v in cells[0].split(', '))
        assert 0 < mean < 1e-3 and largest < 0.01


@pytest.mark.slow
def test_trainings_in_both_precisions():
    options = ('--methods', 'hourglass', 'paf', '--steps', '2', '--seeds', '2')
    found = rows('mixed_precision.py', *options)
    assert [cells[0] for cells in found] == ['hourglass', 'paf']
    for cells in found:
        assert cells[5] in ('yes', '**no**')
        float32, mixed = (re.search(r'\((.*)\)', cell)[1] for cell in cells[2:4])
        assert len(float32.split(', ')) == len(mixed.split(', ')) == 2
