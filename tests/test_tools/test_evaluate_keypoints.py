import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from mmkp.engine.cli import run_tool

TOOL = Path(__file__).parents[2] / 'tools' / 'analysis_tools' / 'evaluate_keypoints.py'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('evaluate_keypoints', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def status_of(tool, *arguments):
    """Exit status of the command."""
    try:
        run_tool(lambda: tool.main([str(a) for a in arguments]))
    except SystemExit as stopped:
        return stopped.code
    return 0


def save(path, scale=1.0, **changes):
    generator = np.random.default_rng(0)
    arrays = {}
    for part, num in (('fit', 40), ('score', 10)):
        points = generator.uniform(0.1, 0.9, (num, 5, 2))
        arrays[f'{part}_annotations'] = points * scale
        noise = generator.normal(0, 0.01, points.shape)
        arrays[f'{part}_keypoints'] = (points + noise) * scale
        arrays[f'{part}_untrained'] = generator.uniform(size=points.shape) * scale
    arrays.update(changes)
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


def test_table_and_file(tool, tmp_path, capsys):
    out = tmp_path / 'figures' / 'faces.json'
    fractions = save(tmp_path / 'fractions.npz')
    assert status_of(tool, fractions, '--protocol', 'mafl', '--out', out) == 0
    table = capsys.readouterr().out
    assert 'mafl: % of inter-ocular distance, lower is better' in table
    assert 'untrained' in table and '10 images' not in table.splitlines()[0]
    figures = json.loads(out.read_text())['figures']
    assert figures['forward'] < 0.2 * figures['forward_mean_pose']
    assert figures['forward'] < 0.2 * figures['forward_untrained']

    pixels = save(tmp_path / 'pixels.npz', scale=128.0)
    arguments = [str(pixels), '--protocol', 'mafl', '--size', '128', '--out', str(out)]
    assert status_of(tool, *arguments) == 0
    again = json.loads(out.read_text())['figures']
    assert again == pytest.approx(figures)


def test_options_reach_the_protocol(tool, tmp_path, capsys):
    path = save(tmp_path / 'a.npz')
    options = ['normalizer=(2, 3)', 'unit=of something', 'bias=True']
    assert status_of(tool, path, '--shots', '--options', *options) == 0
    output = capsys.readouterr().out
    assert 'generic: of something' in output
    assert 'annotated:' not in output  # no few-shot rows asked for


@pytest.mark.parametrize(
    ('changes', 'arguments', 'message'),
    [
        (dict(fit_keypoints=None), [], "array 'fit_keypoints' is missing; found"),
        (dict(score_keypoints=np.zeros((9, 5, 2))), [], '9 images have discovered'),
        (dict(fit_untrained=np.zeros((9, 5, 2))), [], 'fit_untrained has 9 images'),
        (dict(), ['--protocol', 'cub'], 'defined on 15 annotated points'),
        (dict(), ['--options', 'bias'], "option 'bias' is not of the form"),
        (dict(), ['--size', '-3'], 'positive'),
        (dict(fit_keypoints=np.array(['a'])), [], 'fit_keypoints holds values of the'),
    ],
)
def test_mistakes_are_explained(tool, tmp_path, capsys, changes, arguments, message):
    path = save(tmp_path / 'a.npz', **changes)
    assert status_of(tool, path, *arguments) == 2
    assert message in capsys.readouterr().err


def test_missing_and_foreign_files(tool, tmp_path, capsys):
    assert status_of(tool, tmp_path / 'none.npz') == 2
    assert 'does not exist' in capsys.readouterr().err
    text = tmp_path / 'text.npz'
    text.write_text('not an archive')
    assert status_of(tool, text) == 2
    assert 'is no .npz file' in capsys.readouterr().err
    objects = save(tmp_path / 'objects.npz', fit_names=np.array([{}], dtype=object))
    assert status_of(tool, objects) == 2
    assert 'holds Python objects' in capsys.readouterr().err
