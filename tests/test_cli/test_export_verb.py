"""The verb export."""

import json

import pytest

from mmkp.apis.export import Export
from mmkp.cli import export as verb
from mmkp.deployment.check import Difference


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """Calls of the function behind the verb, which writes nothing here."""
    found = []

    class Described:
        files = {'onnx': 'model.onnx'}  # noqa: RUF012

    def export(*args, **kwargs):
        found.append((args, kwargs))
        return Export(tmp_path, Described, [Difference('model.onnx', 1e-5, 0, 0, 8, 9)])

    monkeypatch.setattr(verb, 'export', export)
    return found


def test_words_of_a_run(calls, tmp_path, capsys):
    words = '-f onnx,torch -o out --overwrite --no-normalization --no-flip-test'
    words += ' --web-runtime dist'
    verb.main(['puppets-lmdis', *words.split(), '--data', 'photos'])
    assert calls == [
        (
            ('puppets-lmdis', ['onnx', 'torch'], 'out', True),
            dict(
                half=False,
                int8=None,
                normalized_inside=False,
                flip_test=False,
                data='photos',
                web_runtime='dist',
            ),
        )
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith('model.onnx: keypoints differ from PyTorch by at most')
    assert lines[-1] == str(tmp_path)


def test_json_is_one_object(calls, tmp_path, capsys):
    verb.main(['puppets-lmdis', '--int8', 'photos', '--json'])
    told = json.loads(capsys.readouterr().out)
    assert told['path'] == str(tmp_path) and told['files'] == {'onnx': 'model.onnx'}
    assert told['differences'][0]['largest'] == 1e-5
    assert calls[0][1]['int8'] == 'photos' and calls[0][1]['flip_test'] is None


def test_config_and_checkpoint(calls, monkeypatch):
    monkeypatch.setattr(verb, 'load_model', lambda *args: args)
    verb.main(['config.py', 'weights.pth', '--half'])
    assert calls[0][0][0] == ('config.py', 'weights.pth', 'cpu')
    assert calls[0][1]['half'] is True


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['config.py'], 'no run, so a config and a checkpoint is expected'),
        (['puppets-lmdis', 'more'], 'a run, so nothing is expected behind'),
        (['puppets-lmdis', '--half', '--int8', 'x'], 'not allowed with'),
    ],
)
def test_words_that_do_not_fit_are_told(words, message, capsys):
    with pytest.raises(SystemExit) as caught:
        verb.parse_args(words)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
