# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The plain step of StableKeypoints is that of mmkp."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / 'tools' / 'benchmarks'


@pytest.fixture
def benchmark_module(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import stable_keypoints_step

    return stable_keypoints_step


@pytest.mark.parametrize(
    'dtype, encoder, bound', (('float64', True, 1e-10), ('float32', False, 1e-4))
)
def test_all_variants_take_the_same_step(benchmark_module, dtype, encoder, bound):
    setting = benchmark_module.Setting(16, 32, 40, True, encoder, 'cpu', dtype)
    plain, *others = (
        benchmark_module.prepare(setting, variant, memory=False)()
        for variant in benchmark_module.VARIANTS
    )
    assert plain.loss > 0
    for found in others:
        assert found.loss == pytest.approx(plain.loss, rel=bound)
        difference = benchmark_module.difference(found.gradient, plain.gradient)
        assert difference < bound


def rows_of(capsys):
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split('|')[1:-1] for line in lines if line.startswith('|')][2:]
    return [[cell.strip() for cell in row] for row in rows]


def test_table(benchmark_module, capsys, monkeypatch):
    # Fresh processes would import PyTorch anew; the times are not looked at here.
    import measure

    monkeypatch.setattr(benchmark_module, 'measure', measure._run)
    size = '--tiny --latent-side 16 --map-size 32 --tokens 40'.split()
    benchmark_module.main([*size, '--variants', 'plain', 'mmkp'])
    plain, found = rows_of(capsys)
    assert (plain[0], found[0]) == ('plain', 'mmkp')
    assert float(found[9]) == pytest.approx(float(plain[9]), rel=1e-5)
    # Little of what is kept at this size is maps.
    assert 0 < float(found[6]) < 0.6


def test_arithmetic(benchmark_module, capsys):
    # The widths of Stable Diffusion, of which nothing is computed.
    benchmark_module.main('--arithmetic --latent-side 16 --map-size 32'.split())
    rows = rows_of(capsys)
    assert [row[0] for row in rows] == list(benchmark_module.VARIANTS)
    for column in (1, 3):
        kept = [float(row[column]) for row in rows]
        assert kept == sorted(kept, reverse=True) and kept[-1] > 0
    weights = {float(row[5]) - float(row[3]) for row in rows}
    assert all(
        value == pytest.approx(859520964 * 4 / 2**20, rel=1e-3) for value in weights
    )
