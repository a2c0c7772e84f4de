"""The script behind `make env`, short of installing anything."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'tools/misc/make_environment.py'


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location('make_environment', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def commands(script, monkeypatch):
    """The arguments of pip, which is not run."""
    called = []
    monkeypatch.setattr(
        script, 'pip', lambda python, log, *arguments: called.append(arguments)
    )
    monkeypatch.setattr(script.shutil, 'which', lambda name: None)
    return called


def test_without_npm_the_browser_runtime_is_left_out(
    script, commands, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(script, 'installed', lambda python: {})
    tried = []
    monkeypatch.setattr(script, 'install_browser_runtime', lambda *a: tried.append(a))
    script.install(Path('python'), tmp_path / 'log')
    assert not tried
    monkeypatch.setattr(script.shutil, 'which', lambda name: '/bin/npm')
    script.install(Path('python'), tmp_path / 'log')
    assert tried == [('/bin/npm', tmp_path / 'log')]


def test_a_failing_npm_ends_nothing(script, tmp_path, capsys):
    script.install_browser_runtime('/bin/false', tmp_path / 'log')
    assert 'npm failed' in capsys.readouterr().out


def test_fresh_environment(script, commands, monkeypatch, tmp_path):
    monkeypatch.setattr(script, 'installed', lambda python: {'pip': '23.2'})
    script.install(Path('python'), tmp_path / 'log')
    libraries, openmmlab, own = commands
    assert {'torch==2.13.0', 'torchvision==0.28.0'} < set(libraries)
    assert libraries[:2] == ('-c', str(ROOT / 'requirements/constraints.txt'))
    assert openmmlab[0] == '--no-deps' and 'mmcv-lite==2.1.0' in openmmlab
    assert own[-2:] == ('-e', '.')


def test_what_an_environment_has_is_kept(script, commands, monkeypatch, tmp_path):
    present = {'torch': '2.4.1+cu121', 'mmcv': '2.1.0', 'opencv-python': '4.10.0.84'}
    monkeypatch.setattr(script, 'installed', lambda python: present)
    script.install(Path('python'), tmp_path / 'log')
    libraries, openmmlab, _ = commands
    assert 'torch==2.4.1' in libraries and 'torchvision' in libraries
    names = {line.partition('==')[0] for line in openmmlab}
    assert names == {'--no-deps', 'mmengine', 'mmdet', 'mmpose'}


def test_another_numpy(script, commands, monkeypatch, tmp_path):
    monkeypatch.setattr(script, 'installed', lambda python: {})
    script.install(Path('python'), tmp_path / 'log', '2.2.6')
    option, path = commands[0][:2]
    assert option == '-c' and Path(path).parent == tmp_path
    tried = (ROOT / 'requirements/constraints.txt').read_text().splitlines()
    pinned = Path(path).read_text().splitlines()
    others = [line for line in tried if not line.startswith('numpy==')]
    assert sorted(pinned) == sorted([*others, 'numpy==2.2.6'])
    assert script.fingerprint('2.2.6') != script.fingerprint()


@pytest.mark.parametrize(
    ('torch', 'numpy', 'pinned'),
    [
        ('2.1.0+cu121', None, '1.26.4'),
        ('2.1.0', '1.24.4', '1.24.4'),
        ('2.3.0', None, ''),
    ],
)
def test_an_older_torch_keeps_numpy_1(
    script, commands, monkeypatch, tmp_path, torch, numpy, pinned
):
    monkeypatch.setattr(script, 'installed', lambda python: dict(torch=torch))
    script.install(Path('python'), tmp_path / 'log', numpy)
    lines = Path(commands[0][1]).read_text().splitlines()
    own = [line for line in lines if line.startswith('numpy==') and ';' not in line]
    assert own == ([f'numpy=={pinned}'] if pinned else [])


def test_second_run_returns_at_once(script, monkeypatch, tmp_path, capsys):
    (tmp_path / 'mmkp-environment').write_text(script.fingerprint())
    monkeypatch.setattr(sys, 'argv', ['make_environment.py', str(tmp_path)])
    monkeypatch.setattr(script, 'install', lambda *_: pytest.fail('installed again'))
    assert script.main() == 0
    assert capsys.readouterr().out == ''


def test_changed_requirements_install_again(script, monkeypatch, tmp_path):
    before = script.fingerprint()
    assert script.fingerprint() == before
    copy = tmp_path / 'requirements'
    copy.mkdir()
    for name in ('setup.cfg', 'setup.py'):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(script, 'ROOT', tmp_path)
    empty = script.fingerprint()
    (copy / 'runtime.txt').write_text('numpy')
    assert len({before, empty, script.fingerprint()}) == 3


def test_failed_installation_shows_what_pip_said(script, monkeypatch, tmp_path, capsys):
    def install(python, log, numpy):
        log.write_text('ERROR: no matching distribution')
        raise subprocess.CalledProcessError(1, 'pip')

    (tmp_path / 'bin').mkdir()
    (tmp_path / 'bin/python').touch()
    monkeypatch.setattr(sys, 'argv', ['make_environment.py', str(tmp_path)])
    monkeypatch.setattr(script, 'install', install)
    assert script.main() == 1
    assert 'no matching distribution' in capsys.readouterr().err
    assert not (tmp_path / 'mmkp-environment').exists()


def test_unsuitable_python(script, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, 'argv', ['make_environment.py', str(tmp_path / 'new')])
    monkeypatch.setattr(sys, 'version_info', (3, 14, 0))
    assert script.main() == 1
    assert 'is not one of 3.10 to 3.13' in capsys.readouterr().err


def test_make_says_when_there_is_no_python(tmp_path):
    done = subprocess.run(
        ['make', 'env', 'PYTHON='],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert 'no Python 3.10, 3.11, 3.12 or 3.13' in done.stderr
