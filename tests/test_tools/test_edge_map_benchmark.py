# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The edge map benchmark, and the measurement that it shares with others."""

import importlib
import sys
import time
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / 'tools' / 'benchmarks'


@pytest.fixture
def load(monkeypatch):
    """Import a script as its neighbours do, and forget it after the test."""

    def load(name):
        monkeypatch.syspath_prepend(str(FOLDER))
        for module in ('measure', 'edge_map'):
            monkeypatch.delitem(sys.modules, module, raising=False)
        return importlib.import_module(name)

    yield load
    for module in ('measure', 'edge_map'):
        sys.modules.pop(module, None)


def fill_memory(mebibytes, seconds):
    """Prepare a call that needs memory and processor time."""

    def call():
        filled = bytearray(b'x') * (mebibytes * 2**20)
        start = time.process_time()
        while time.process_time() < start + seconds:
            pass
        return len(filled)

    return call


def test_measure_counts_what_a_call_needs(load):
    measure = load('measure')
    kept = bytearray(b'x') * (300 * 2**20)  # our own peak must not hide the other's
    cost = measure.measure(fill_memory, (64, 0.1), repeats=3)
    assert len(kept) > 0
    assert cost.result == 64 * 2**20
    assert 63 < cost.extra_mib < 80
    assert 0.1 <= cost.cpu_s < 0.3
    assert cost.wall_s >= cost.cpu_s * 0.9
    with pytest.raises(ValueError, match='at least 1, got 0 and 1'):
        measure.measure(fill_memory, (1, 0.1), repeats=0)


def test_table_of_a_small_case(load, monkeypatch, capsys):
    benchmark = load('edge_map')
    # Here in this process: a fresh one for each form takes long to start.
    monkeypatch.setattr(benchmark, 'measure', sys.modules['measure']._run)
    options = ['--cases', '2x6x48', '--repeats', '3', '--plain-repeats', '1']
    monkeypatch.setattr(sys, 'argv', ['edge_map.py', *options])
    benchmark.main()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[:2] for row in rows] == [['2x6x48', '15']] * 2
    assert [row[2] for row in rows] == ['fused', 'plain']
    fused, plain = (row[-6:] for row in rows)
    assert all(float(cost) >= 0 for cost in fused[-3:])
    cpu_s, wall_s, _, cpu_ratio, memory_ratio, difference = plain
    assert float(cpu_s) > 0
    assert float(wall_s) > 0
    assert cpu_ratio.endswith('x')
    assert memory_ratio.endswith('x')
    assert float(difference) < 1e-4


@pytest.mark.parametrize('case', ['8x10', '8xax128', '8x1x128', '0x4x9'])
def test_a_wrong_case_is_named(case, load):
    benchmark = load('edge_map')
    with pytest.raises(ValueError, match=f"'{case}' is not like 8x10x128"):
        benchmark.parse_case(case)
