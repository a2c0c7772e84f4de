"""Another project's tests with and without mmkp: what differs is told."""

import importlib.util
import sys

import pytest
import tiny

import mmkp

SCRIPT = tiny.TOOLS / 'misc/mmpose_tests.py'
TESTS = """
import random, sys, unittest
import pytest, torch

@pytest.mark.parametrize('value', [1, 2])
def test_good(value):
    assert value

def test_bad():
    assert False

@pytest.mark.skip(reason='why not')
def test_left_out():
    pass

class TestCases(unittest.TestCase):
    def setUp(self):
        self.value = random.random(), torch.rand(1).item()

    def test_seeded(self):
        random.seed(0), torch.manual_seed(0)
        assert self.value == (random.random(), torch.rand(1).item())

def test_changed():
    assert 'mmkp.models' not in sys.modules
"""


def test_counts_and_what_differs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('PYTHONPATH', str(tiny.TOOLS.parent))
    folder = tmp_path / 'tests'
    folder.mkdir()
    (folder / 'test_theirs.py').write_text(TESTS)
    with pytest.raises(SystemExit) as ended:
        tiny.call_tool('misc/mmpose_tests.py', '--tests', folder)
    assert ended.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    table = {line.split()[0]: line.split()[1:] for line in lines[-6:-2]}
    assert table == dict(
        passed=['4', '3'], failed=['1', '2'], error=['0', '0'], skipped=['1', '1']
    )
    assert lines[-2:] == [
        'tests.test_theirs.test_changed: passed without, failed with',
        '1 of 6 tests end differently',
    ]
    assert (lines[0][:6] == 'MMPose') == ('provide_mmcv_ops' in mmkp.compat.applied)


@pytest.mark.parametrize('found', [dict(test_one='failed'), {}])
def test_the_same_and_none(found, tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location('mmpose_tests', SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, '_imports_alone', lambda: True)
    monkeypatch.setattr(script, 'outcomes', lambda *_: found)
    monkeypatch.setattr(sys, 'argv', [str(SCRIPT), '--tests', str(tmp_path)])
    if found:
        assert script.main() == 0
        told = capsys.readouterr().out
        assert told.splitlines()[-1] == '0 of 1 tests end differently'
    else:
        with pytest.raises(ValueError, match='pytest found no test in'):
            script.main()


def test_no_folder(tmp_path, capsys):
    with pytest.raises(SystemExit):
        tiny.call_tool('misc/mmpose_tests.py', '--tests', tmp_path / 'absent')
    assert 'there is no folder of tests' in capsys.readouterr().err
