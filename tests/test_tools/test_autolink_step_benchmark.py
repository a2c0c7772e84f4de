"""The two formulations that the training-step benchmark compares are the same."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / 'tools' / 'benchmarks'


@pytest.fixture
def benchmark_module(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import autolink_step

    return autolink_step


@pytest.mark.parametrize('vgg_size', [0, 48])
def test_all_variants_take_the_same_steps(benchmark_module, vgg_size):
    losses = {}
    for variant in benchmark_module.VARIANTS:
        step = benchmark_module.prepare(variant, 3, 4, 32, vgg_size, 4)
        for _ in range(3):
            losses[variant] = step()
    plain = losses.pop('plain')
    assert len(set(plain)) == 3 and len(losses) == 3
    for variant, found in losses.items():
        assert found[0] == pytest.approx(plain[0], rel=1e-5), variant
        assert found == pytest.approx(plain, rel=1e-3), variant
