# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The plain steps of FSE and LMDIS are the steps of mmkp."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / 'tools' / 'benchmarks'
# The smallest pictures from which the published networks make more than one cell.
SIDES = {
    'fse published': 68,
    'fse light': 32,
    'lmdis published': 16,
    'lmdis light': 32,
}


@pytest.fixture
def benchmark_module(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import unsupervised_step

    return unsupervised_step


@pytest.mark.parametrize('case', SIDES)
def test_plain_and_mmkp_take_the_same_step(benchmark_module, case):
    plain, *others = (
        benchmark_module.prepare(case, variant, 2, 4, SIDES[case], memory=False)()
        for variant in ('plain', 'mmkp, NCHW', 'mmkp')
    )
    assert plain.loss > 0 and plain.gradient > 0
    for found in others:
        assert found.loss == pytest.approx(plain.loss, rel=1e-5)
        assert found.gradient == pytest.approx(plain.gradient, rel=1e-3)


def test_table(benchmark_module, capsys, monkeypatch):
    # Fresh processes would import PyTorch anew; the figures are not looked at here.
    import measure

    monkeypatch.setattr(benchmark_module, 'measure', measure._run)
    options = '--batch 2 --keypoints 3 --side 32 --repeats 1'.split()
    benchmark_module.main([*options, '--cases', 'fse light'])
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split('|')[1:-1] for line in lines if line.startswith('| fse')]
    assert [row[1].strip() for row in rows] == list(benchmark_module.VARIANTS)
    plain = rows[0]
    for row in rows:
        assert float(row[7]) == pytest.approx(float(plain[7]), rel=1e-5)
        assert float(row[2]) > 0 and float(row[5]) > 0
