"""The ``mmkp`` command and its verbs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiny

import mmkp
import mmkp_command
from mmkp.cli import demo
from mmkp.cli.main import VERBS, main

ROOT = Path(__file__).resolve().parents[2]
HELPERS = {'__init__', 'main', 'overrides', 'results', 'run_words', 'shards'}


def test_a_verb_is_a_file():
    files = {path.stem for path in (ROOT / 'mmkp/cli').glob('*.py')}
    assert files - HELPERS == set(VERBS)


@pytest.mark.parametrize('verb', VERBS)
def test_each_has_a_help(verb, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([verb, '--help'])
    assert stopped.value.code == 0
    # The demo is a tool that is run as it is.
    name = 'demo.py' if verb == 'demo' else f'mmkp {verb}'
    assert capsys.readouterr().out.startswith(f'usage: {name} ')


def test_help_lists_the_verbs(capsys):
    with pytest.raises(SystemExit):
        main(['--help'])
    printed = capsys.readouterr().out
    assert all(f'  {verb:9}{what}\n' in printed for verb, what in VERBS.items())


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([], 'required: VERB'),
        (['trian', 'config.py'], "invalid choice: 'trian'"),
        (['train'], 'required: config'),
        (['test', 'config.py'], 'required: checkpoint'),
        (['train', 'config.py', 'other.py'], "unexpected argument 'other.py'"),
        (['train', 'config.py', '--ammp'], 'unrecognized arguments: --ammp'),
    ],
)
def test_wrong_usage(words, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_users_error_is_one_sentence(tmp_path, capsys):
    config, _ = tiny.trained()
    with pytest.raises(SystemExit) as stopped:
        main(['test', str(config), str(tmp_path / 'none.pth')])
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert told == f"error: checkpoint '{tmp_path / 'none.pth'}' does not exist\n"


def test_predict(tmp_path, capsys):
    config, checkpoint = tiny.trained()
    source, out = config.parent / 'images', tmp_path / 'out'
    words = [config, checkpoint, source, '-o', out, '-b', 4, '-d', 'cpu']
    main(['predict', *map(str, words), '--no-pictures'])
    (written,) = out.glob('*.json')
    assert json.loads(written.read_text())
    assert f'keypoints: {written}' in capsys.readouterr().out


def test_demo_runs_the_tool_of_a_wheel(tmp_path, monkeypatch, capsys):
    script = tmp_path / '.mim/tools/demo.py'
    script.parent.mkdir(parents=True)
    script.write_text('import sys; print(__name__, sys.argv[1:])')
    monkeypatch.setattr(demo, 'PACKAGE', tmp_path)
    main(['demo', '--out', 'there'])
    assert capsys.readouterr().out == "__main__ ['--out', 'there']\n"


def test_demo_without_its_tool(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, 'PACKAGE', tmp_path / 'mmkp')
    with pytest.raises(SystemExit) as stopped:
        main(['demo'])
    assert stopped.value.code == 2
    assert "demo.py' does not exist; install a wheel" in capsys.readouterr().err


class TestCommand:
    def test_as_a_module(self):
        done = subprocess.run(
            [sys.executable, '-m', 'mmkp', '--version'],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, '')
        assert done.stdout == f'mmkp {mmkp.__version__}\n'

    def test_where_something_is_missing(self, monkeypatch, capsys):
        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name == 'mmkp.cli.main':
                    raise ImportError('mmkp cannot be used here: torch is not ...')

        monkeypatch.delitem(sys.modules, 'mmkp.cli.main')
        monkeypatch.setattr(sys, 'meta_path', [Missing(), *sys.meta_path])
        assert mmkp_command.main() == 2
        told = capsys.readouterr().err
        assert told == 'error: mmkp cannot be used here: torch is not ...\n'

    def test_a_mistake_of_ours_keeps_its_traceback(self, monkeypatch):
        monkeypatch.setitem(sys.modules, 'mmkp.cli.main', None)
        with pytest.raises(ImportError, match='halted'):
            mmkp_command.main()
