# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The hourglass benchmarks compare equal networks and print a row for each."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / 'tools' / 'benchmarks'


@pytest.fixture
def load(monkeypatch):
    """Import a script as its neighbours do, measuring in this process."""

    def load(name):
        monkeypatch.syspath_prepend(str(BENCHMARKS))
        module = __import__(name)
        # A fresh process for each network takes long to start.
        monkeypatch.setattr(module, 'measure', sys.modules['measure']._run)
        return module

    return load


def rows(text):
    """Cells of each row of the Markdown table below its head."""
    table = [line for line in text.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in line.split('|')[1:-1]] for line in table[2:]]


def test_networks_with_equal_weights_have_equal_losses(load, capsys):
    benchmark = load('hourglass_training_step')
    networks = [name for name in benchmark.MMKP if name != 'mmkp, compiled']
    names = ['plain', *networks, 'mmpose, equal width', 'mmpose, equal multiply-adds']
    options = '--stacks 2 --channels 16 --input 64 --batch 2 --repeats 1 --rounds 1'
    benchmark.main([*options.split(), '--networks', *names])
    found = rows(capsys.readouterr().out)
    assert [row[0] for row in found] == names
    plain = found[0]
    for row in found[1 : 1 + len(networks)]:
        assert row[1:3] == plain[1:3], row[0]  # parameters and multiply-adds
        assert float(row[-1]) == pytest.approx(float(plain[-1]), abs=1e-5), row[0]
    assert all(float(row[3]) > 0 and float(row[4]) > 0 for row in found)


def test_the_plain_network_is_as_large_as_published(load):
    benchmark = load('hourglass_training_step')
    size = benchmark.count(lambda: benchmark.PlainHourglass(2), 256)
    assert size.parameters == 6_570_400
    assert size.multiply_adds / 1e9 == pytest.approx(8.33, abs=0.01)


@pytest.mark.parametrize('measure', ['multiply-adds', 'parameters'])
def test_mmpose_comes_as_near_as_its_width_allows(load, measure):
    benchmark = load('hourglass_training_step')
    width = benchmark.equal_width(f'mmpose, equal {measure}', 1, 64, 64)
    field = measure.replace('-', '_')
    wanted, *found = (
        getattr(benchmark.count(build, 64), field)
        for build in (
            lambda: benchmark.PlainHourglass(1, channels=64),
            *(
                lambda w=w: benchmark.MMPoseHourglass(1, w)
                for w in (width - 4, width, width + 4)
            ),
        )
    )
    assert min(found, key=lambda value: abs(value - wanted)) == found[1]


def test_a_network_that_fails_is_named(load, capsys):
    benchmark = load('hourglass_training_step')
    options = '--stacks 1 --channels 8 --input 72 --batch 1 --repeats 1 --rounds 1'
    benchmark.main([*options.split(), '--networks', 'mmkp', 'mmpose, equal width'])
    found = rows(capsys.readouterr().out)
    assert len(found[0]) == 10
    assert found[1][1].startswith('not available: RuntimeError: The size of tensor')


def test_codecs_are_timed(load, capsys):
    load('hourglass_encoding').main('--cells 16 --images 2 --repeats 1'.split())
    found = rows(capsys.readouterr().out)
    assert [row[0] for row in found] == ['HourglassHeatmap', 'MSRAHeatmap']
    assert all(float(cell) > 0 for row in found for cell in row[1:])
