# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which errors are told in a sentence, and which keep their traceback."""

import errno
import importlib.util
import shlex
import subprocess
import sys
import warnings

import pytest
from torch.utils.data import DataLoader, Dataset

from mmkp.datasets.image_decoding import decode_image
from mmkp.engine import cli
from mmkp.engine.cli import run_tool
from mmkp.labels import read_json


def run(action):
    """Exit status of a tool that does something."""
    try:
        run_tool(action)
    except SystemExit as stopped:
        return stopped.code
    return 0


def module_of_the_package(tmp_path, monkeypatch, code):
    """A module that lies where mmkp does."""
    path = tmp_path / 'part.py'
    path.write_text(code)
    monkeypatch.setattr(cli, '_PACKAGE', tmp_path)
    spec = importlib.util.spec_from_file_location('mmkp_part', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    'statement',
    [
        'int("x")',
        'float("1,5")',
        'a, b = [1]',
        'list(zip([1], [1, 2], strict=True))',
        '{}["key"]',
        'None.shape',
        'b"\\xff".decode()',
        '[1].index(2)',
        'raise KeyError("key")',
        'raise AssertionError("never")',
        'import no_such_package',
        '__import__("json").loads("{")',
    ],
)
def test_what_python_says_keeps_its_traceback(tmp_path, monkeypatch, statement):
    part = module_of_the_package(tmp_path, monkeypatch, f'def do():\n    {statement}\n')
    with pytest.raises(Exception, match='') as caught:
        run_tool(part.do)
    assert not isinstance(caught.value, SystemExit)


@pytest.mark.parametrize('kind', ['ValueError', 'TypeError', 'RuntimeError'])
@pytest.mark.parametrize('before', ['', 'int("x")', '{}["key"]'])
def test_what_we_raise_is_told(tmp_path, monkeypatch, capsys, kind, before):
    code = f'def do():\n    raise {kind}("give another file")\n'
    if before:
        code = (
            f'def do():\n    try:\n        {before}\n    except Exception as error:\n'
            f'        raise {kind}("give another file") from error\n'
        )
    part = module_of_the_package(tmp_path, monkeypatch, code)
    assert run(part.do) == 2
    assert capsys.readouterr().err == 'error: give another file\n'


def test_what_others_raise_keeps_its_traceback():
    def do():
        raise ValueError('of a test, which is no part of mmkp')

    with pytest.raises(ValueError, match='of a test'):
        run_tool(do)


def test_the_traceback_is_there_on_request(tmp_path, monkeypatch):
    monkeypatch.setenv('MMKP_TRACEBACK', '1')
    with pytest.raises(FileNotFoundError):
        run_tool(lambda: read_json(tmp_path / 'none.json'))


@pytest.mark.parametrize(
    ('number', 'status'),
    [(errno.ENOSPC, 1), (errno.EACCES, 1), (errno.ENOENT, 2), (errno.EISDIR, 2)],
)
def test_errors_of_the_system(capsys, number, status):
    def do():
        raise OSError(number, 'Sentence of the system', 'results/out.json')

    assert run(do) == status
    told = capsys.readouterr().err
    assert told.startswith('error: results/out.json: Sentence of the system')
    assert told.count('\n') == 1
    assert ('free some space' in told) == (number == errno.ENOSPC)


def test_status_and_interruption(capsys):
    assert run(lambda: None) == 0
    assert run(lambda: 1) == 1

    def do():
        raise KeyboardInterrupt

    assert run(do) == 130
    assert capsys.readouterr().err == 'interrupted\n'


def test_warnings_of_ours_are_a_line_each(capsys, monkeypatch, tmp_path):
    code = 'import warnings\ndef do():\n    warnings.warn("look at line 3")\n'
    part = module_of_the_package(tmp_path, monkeypatch, code)
    with warnings.catch_warnings():
        warnings.simplefilter('always')
        shown = []
        monkeypatch.setattr(
            warnings,
            'showwarning',
            lambda *a, **k: shown.append(warnings.formatwarning(*a[:4])),
        )
        run_tool(part.do)
    assert shown == ['warning: look at line 3\n']
    assert 'look' in warnings.formatwarning('look', UserWarning, part.__file__, 3)
    assert warnings.formatwarning('look', UserWarning, 'a.py', 3).startswith('a.py:3')


class Damaged(Dataset):
    """Images that cannot be decoded, in ours or in Python's words."""

    def __init__(self, ours):
        self.ours = ours

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return decode_image(b'text', 'a.png') if self.ours else int('x')


def test_what_we_raise_in_a_worker_process_is_told(capsys):
    def do(ours):
        next(iter(DataLoader(Damaged(ours), num_workers=1)))

    assert run(lambda: do(True)) == 2
    told = capsys.readouterr().err
    assert told.startswith('error: a.png is not an image that can be decoded')
    with pytest.raises(ValueError, match='invalid literal'):
        run_tool(lambda: do(False))


def test_a_reader_who_has_read_enough_is_no_error():
    code = (
        'from mmkp.engine.cli import run_tool\n'
        'run_tool(lambda: [print("x" * 9999) for _ in range(999)])'
    )
    command = f'{shlex.quote(sys.executable)} -c {shlex.quote(code)} | head -c 9'
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stdout == 'x' * 9 and not done.stderr
