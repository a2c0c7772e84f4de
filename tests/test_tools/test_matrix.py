"""The script behind `make matrix`, short of installing anything."""

import importlib.util
import subprocess
import sys

import pytest
import tiny

SCRIPT = tiny.TOOLS / 'misc/matrix.py'
PAGE = tiny.TOOLS.parent / 'docs/matrix.md'


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location('matrix', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page(script, tmp_path):
    path = tmp_path / 'matrix.md'
    path.write_text(f'# Title\n\n{script.HEAD}\n|---|\n\nWords after it.\n')
    return path


def rows(script):
    return [script.Row._make(row) for row in script.ROWS]


def test_rows_are_unlike_and_can_be_made(script):
    names = [row.name for row in rows(script)]
    assert len(set(names)) == len(names) >= 11
    for row in rows(script):
        assert row.install in ('wheel', 'editable')
    assert {row.python for row in rows(script)} == {'3.10', '3.11', '3.12', '3.13'}


def test_smoke_tests_exist(script):
    assert all((SCRIPT.parents[2] / name).exists() for name in script.SMOKE)


def test_a_line_is_replaced_and_lines_stand_in_the_order_of_the_rows(script, page):
    first, second = rows(script)[:2]
    script.write_line(page, second, 'fails at tests: ERROR')
    script.write_line(page, first, 'passes: 5 passed')
    script.write_line(page, second, 'passes: 6 passed')
    text = page.read_text()
    lines = [line for line in text.splitlines() if line.endswith('` |')]
    assert [line.split(' | ')[5] for line in lines] == [
        'passes: 5 passed',
        'passes: 6 passed',
    ]
    assert text.startswith('# Title\n') and text.endswith('|\n\nWords after it.\n')


def test_the_page_can_be_written(script, tmp_path):
    copy = tmp_path / 'matrix.md'
    copy.write_text(PAGE.read_text())
    script.write_line(copy, rows(script)[-1], 'passes: 1 passed')
    assert f'`{rows(script)[-1].name}` |' in copy.read_text()
    copy.write_text('no table')
    with pytest.raises(ValueError, match='has no line'):
        script.write_line(copy, rows(script)[0], '')


@pytest.mark.parametrize(
    ('failing', 'result', 'status'),
    [
        ('', 'passes: 7 passed, 1 skipped; training, prediction', 0),
        ('-m venv', 'fails at installing: ERROR: no matching distribution', 1),
        ('pytest -q', 'fails at tests: ERROR: no matching distribution', 1),
        ('mmkp predict ', 'fails at training and prediction: ERROR: no matching', 1),
    ],
)
def test_a_row(failing, result, status, script, page, tmp_path, monkeypatch, capsys):
    commands = []

    def call(command, environment=None, cwd=None):
        command = ' '.join(map(str, command))
        commands.append((command, environment))
        if failing and failing in command:
            output = 'Collecting torch\nERROR: no matching distribution\n'
            raise subprocess.CalledProcessError(1, command, output)
        if '-m venv' in command:
            (tmp_path / 'envs' / row.name / 'environment').mkdir()
        if 'pytest -q' in command:
            return '.....\n7 passed, 1 skipped, 3 warnings in 5.21s (0:00:05)\n'
        return '8\n'

    row = rows(script)[0]
    monkeypatch.setattr(script, 'call', call)
    monkeypatch.setattr(script.shutil, 'which', lambda name: f'/usr/bin/{name}')
    options = ['--page', str(page), '--folder', str(tmp_path / 'envs')]
    monkeypatch.setattr(sys, 'argv', ['matrix.py', row.name, *options])
    assert script.main() == status
    assert f'| {result}' in page.read_text()
    assert result in capsys.readouterr().out
    # The environment is removed; what failed keeps its log.
    left = [path.name for path in (tmp_path / 'envs').iterdir()]
    assert left == ([f'{row.name}.log'] if failing else [])
    if not failing:
        installed = '\n'.join(command for command, _ in commands)
        assert f' torch=={row.torch} torchvision ' in installed
        assert 'mmcv-lite==2.1.0' in installed and 'mmpose==1.3.2' in installed
        limits = script.constraints(row).splitlines()
        assert limits.count(f'numpy=={row.numpy}') == 1
        assert not [line for line in limits if line[:7] == 'numpy==' and ';' in line]


def test_a_python_that_is_not_there(script, page, tmp_path, monkeypatch):
    monkeypatch.setattr(script.shutil, 'which', lambda name: None)
    told = script.try_row(rows(script)[0], tmp_path / 'row')
    assert told == 'not tried: no python3.10 on the PATH'
    assert not (tmp_path / 'row').exists()


def test_unknown_rows(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['matrix.py', 'py2.7'])
    assert script.main() == 2
    assert 'no row holds py2.7' in capsys.readouterr().err
