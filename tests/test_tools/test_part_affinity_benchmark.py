# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The encoding benchmark compares equal things."""

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / 'tools' / 'benchmarks'
MODULES = ('measure', 'part_affinity_encoding')


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    for module in MODULES:
        monkeypatch.delitem(sys.modules, module, raising=False)
    yield importlib.import_module('part_affinity_encoding')
    for module in MODULES:
        sys.modules.pop(module, None)


@pytest.mark.parametrize('skeleton', ['coco18', 'body25'])
def test_table(benchmark, monkeypatch, capsys, skeleton):
    # Here in this process: a fresh one for each form takes long to start.
    monkeypatch.setattr(
        benchmark,
        'measure',
        lambda *a, threads: sys.modules['measure']._run(*a, threads),
    )
    options = ['--people', '2', '--side', '96', '--images', '3', '--repeats', '1']
    monkeypatch.setattr(sys, 'argv', ['x.py', *options, '--skeleton', skeleton])
    benchmark.main()
    table = capsys.readouterr().out.splitlines()[2:]
    ours, whole, cells = (line[22:].split() for line in table)
    assert len(ours) == 3 and float(ours[0]) > 0
    for row in (whole, cells):
        assert row[3].endswith('x')
        assert float(row[4]) < 1e-6
