"""What is installed, what is missing, and the self-test that can fail."""

import json
from importlib import metadata

import numpy as np
import pytest

import mmkp
from mmkp.apis import self_test as checks
from mmkp.apis.doctor import OPTIONAL, advice, doctor
from mmkp.cli.main import main
from mmkp.dependencies import Dependency


@pytest.fixture(scope='module')
def found():
    return doctor()


def test_everything_works_here(found):
    assert [check.name for check in found.checks] == [n for n, _ in checks.CHECKS]
    assert not found.broken, found.broken
    assert sum(check.seconds for check in found.checks) < 60
    assert str(found).endswith(f'all {len(checks.CHECKS)} checks of the self-test work')


def test_says_every_version(found):
    text = str(found)
    assert text.startswith(f'mmkp {mmkp.__version__} in ')
    for module in ('mmpose', 'torch', 'numpy', 'cv2', 'numba'):
        assert f'\n  {module} ' in text
    assert found.packages['torch'] == f'torch {metadata.version("torch")}'
    assert json.loads(json.dumps(found.to_dict()))['broken'] == []
    assert found._repr_html_().startswith('<pre>mmkp ')


def test_what_is_missing_has_its_command(monkeypatch):
    monkeypatch.setattr(
        'mmkp.apis.doctor.OPTIONAL',
        ((Dependency('absent', ('absent-package',)), 'nothing'), *OPTIONAL[:1]),
    )
    told = doctor(test=False)
    assert told.missing['absent'] == 'pip install absent-package  (nothing)'
    assert '\n  absent          pip install absent-package' in str(told)
    assert 'self-test' not in str(told)


@pytest.mark.parametrize('json_form', [False, True])
def test_command_ends_with_1_where_something_is_broken(monkeypatch, capsys, json_form):
    def fails(folder):
        raise OSError('no <space>\nleft')

    monkeypatch.setattr(checks, 'CHECKS', (('disk', fails),))
    with pytest.raises(SystemExit) as stopped:
        main(['doctor', *(['--json'] if json_form else [])])
    assert stopped.value.code == 1
    printed = capsys.readouterr().out
    if json_form:
        assert json.loads(printed)['broken'] == ['disk']
    else:
        assert 'OSError in test_doctor.py:' in printed
        assert 'no <space> left' in printed and printed.endswith('broken: disk\n')
    main(['doctor', '--no-test'])
    assert 'self-test' not in capsys.readouterr().out


class TestChecksCanFail:
    def run(self, name):
        (result,) = checks.self_test([c for c in checks.CHECKS if c[0] == name])
        return result

    @pytest.mark.parametrize(
        ('free', 'status'), [(10**7, 'broken'), (10**9, 'note'), (10**11, 'ok')]
    )
    def test_disk(self, monkeypatch, free, status):
        usage = type('Usage', (), dict(free=free))
        monkeypatch.setattr(checks.shutil, 'disk_usage', lambda place: usage)
        assert self.run('disk space').status == status

    def test_a_film_that_comes_back_otherwise(self, monkeypatch):
        dark = checks.Frame(np.zeros((48, 64, 3), np.uint8), 0.0)
        monkeypatch.setattr(checks, 'Film', lambda path: [dark] * 5)
        assert self.run('film').status == 'broken'

    def test_file_names(self, monkeypatch):
        monkeypatch.setattr(checks, 'read_image', lambda path: np.zeros(1))
        assert 'comes back changed' in self.run('file names').detail

    def test_fonts(self, monkeypatch):
        monkeypatch.setattr(checks, 'caption', lambda text, width: np.zeros(3))
        assert self.run('fonts').status == 'note'

    def test_threads(self, monkeypatch):
        monkeypatch.setattr(checks.os, 'cpu_count', lambda: 0)
        monkeypatch.setattr(checks.torch, 'get_num_threads', lambda: 4)
        assert self.run('threads').status == 'note'

    def test_weights_that_predict_something_else(self, monkeypatch):
        monkeypatch.setattr(
            checks, '_keypoints', lambda model, images: np.zeros((8, 16, 2))
        )
        assert '% of the picture off' in self.run('shipped weights').detail


class TestAdvice:
    def test_two_builds_of_opencv(self, monkeypatch):
        monkeypatch.setattr(metadata, 'version', lambda name: '4.11.0')
        told = [line for line in advice() if 'opencv' in line]
        assert len(told) == 1
        assert told[0].startswith('opencv-python-headless and opencv-python and')
        assert 'overwrite each other; uninstall all of them' in told[0]

    @pytest.mark.parametrize('needed', [True, False])
    def test_mmpose_needs_mmkp_where_mmcv_is_lite(self, needed, monkeypatch):
        applied = ['provide_mmcv_ops'] if needed else []
        monkeypatch.setattr(mmkp.compat, 'applied', applied)
        told = [line for line in advice() if 'import mmkp' in line]
        assert len(told) == needed
