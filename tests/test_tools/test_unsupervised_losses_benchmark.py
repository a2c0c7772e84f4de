"""The loops that the benchmark of losses times compute the same as mmkp."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / 'tools' / 'benchmarks'


@pytest.fixture
def benchmark_module(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import unsupervised_losses

    return unsupervised_losses


def test_loops_and_losses_are_the_same(benchmark_module):
    assert set(benchmark_module.LOSSES) == set(benchmark_module.PLAIN)
    for name in benchmark_module.LOSSES:
        assert benchmark_module.difference(name, 3, 4, 12) < 2e-5, name


def test_table(benchmark_module, capsys, monkeypatch):
    # Fresh processes would import PyTorch anew; the figures are not looked at here.
    import measure

    monkeypatch.setattr(benchmark_module, 'measure', measure._run)
    benchmark_module.main('--batch 2 --keypoints 3 --side 8 --repeats 1'.split())
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == len(benchmark_module.LOSSES)
    for row, name in zip(rows, benchmark_module.LOSSES, strict=True):
        assert row.startswith(name) and float(row.split()[-1]) < 2e-5
