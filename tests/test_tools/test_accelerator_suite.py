# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The suite for accelerators at reduced size on a CPU, and the table of operations."""

import sys

import pytest
import tiny

FOLDER = tiny.TOOLS / 'benchmarks'


@pytest.fixture
def suite(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import accelerator_suite

    return accelerator_suite


def rows(text, title):
    """Cells of the rows below a head that begins with a title."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f'| {title} |'))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith('|'):
            break
        found.append([cell.strip() for cell in line.strip('|').split('|')])
    return found


def test_operations_and_decoding(suite, tmp_path, capsys):
    out = tmp_path / 'suite.md'
    options = ['--tiny', '--device', 'cpu', '--data-root', str(tmp_path)]
    parts = ['--only', 'tests', 'operations', 'decoding', 'training']
    suite.main([*options, *parts, '--out', str(out)])
    text = capsys.readouterr().out
    assert text == out.read_text()
    assert rows(text, 'tests')[0][1] == 'left out: the device is a CPU'
    assert 'training: left out' in text and f'{tmp_path}/images is missing' in text
    operations = rows(text, 'operation')
    assert len(operations) == 3
    assert all(float(row[-1]) < 1e-4 for row in operations)
    ((_, maps, people, *_),) = rows(text, 'decoding')
    assert maps == '2 x 19 x 16 x 16' and int(people) > 0


def test_an_error_ends_its_table_only(suite, capsys, monkeypatch):
    def broken(*args):
        yield ('title',)
        raise RuntimeError('out of memory')

    monkeypatch.setattr(suite, 'operations', broken)
    with pytest.raises(SystemExit) as error:
        suite.main(['--tiny', '--device', 'cpu', '--only', 'operations', 'decoding'])
    assert error.value.code == 1
    text = capsys.readouterr().out
    assert 'ended by RuntimeError: out of memory' in text
    assert rows(text, 'decoding')


@pytest.mark.slow
def test_steps(suite, capsys):
    suite.main(['--tiny', '--device', 'cpu', '--only', 'steps'])
    steps = rows(capsys.readouterr().out, 'training step')
    assert len(steps) == 7
    assert all(row[-1] == '0' and int(row[-2]) > 100 for row in steps)


@pytest.mark.slow
def test_trainings(suite, data_dir, capsys):
    root = ['--data-root', str(data_dir / 'celeba')]
    suite.main(['--tiny', '--device', 'cpu', '--only', 'training', *root])
    trained = rows(capsys.readouterr().out, 'training, bfloat16')
    assert [(name, pixels, steps) for name, pixels, _, steps, *_ in trained] == [
        ('LMDIS', '80x80', '2'),
        ('AutoLink', '128x128', '2'),
    ]
    for *_, error, mean_pose, untrained in trained:
        assert 0 < float(mean_pose) < 20 and float(error) > 0 and float(untrained) > 0


def test_table_of_operations(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER))
    import dispatched_operations

    options = ['--only', 'edge_map', 'token_maps', '--keypoints', '4', '--batch', '2']
    dispatched_operations.main([*options, '--side', '32', '--images', '1'])
    text = capsys.readouterr().out
    ((_, before, waits, after, waits_after),) = rows(text, 'keypoints')
    assert int(before) > int(after) == 51
    assert int(waits) > int(waits_after) == 0
    for row in rows(text, 'images'):
        assert int(row[3]) <= 4 * 60 < int(row[1])
    assert 'dispatched_operations' in sys.modules
