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


def coco_file(path, names, points, size=(40, 80)):
    """One object an image, the last point of each unlabeled."""
    images, annotations = [], []
    for index, (name, xy) in enumerate(zip(names, points, strict=True), 1):
        width, height = size
        images.append(dict(id=index, file_name=name, width=width, height=height))
        keypoints = [(x, y, 2 * (j + 1 < len(xy))) for j, (x, y) in enumerate(xy)]
        annotations.append(
            dict(
                id=index,
                image_id=index,
                category_id=1,
                bbox=[0, 0, width, height],
                num_keypoints=len(xy) - 1,
                keypoints=[float(v) for point in keypoints for v in point],
            )
        )
    names = [f'p{j}' for j in range(points.shape[1])]
    categories = [dict(id=1, name='face', keypoints=names, skeleton=[])]
    content = dict(images=images, annotations=annotations, categories=categories)
    path.write_text(json.dumps(content))
    return path


def test_predictions_and_annotation_files(tool, tmp_path):
    generator = np.random.default_rng(1)
    points = generator.uniform((4, 8), (36, 72), (50, 4, 2))
    names = [f'{index}.jpg' for index in range(50)]
    fit = coco_file(tmp_path / 'fit.json', names[:40], points[:40])
    score = coco_file(tmp_path / 'score.json', names[40:], points[40:])
    shift = points[::-1] @ [[0.9, 0.1], [-0.1, 1.1]] + 3.0
    shuffled = tmp_path / 'predictions.npz'
    np.savez(shuffled, filename=names[::-1], points=shift)
    out = tmp_path / 'figures.json'
    options = ['--options', 'normalizer=(0, 1)', '--out', out]
    arguments = [shuffled, '--annotations', fit, score, *options]
    assert status_of(tool, *arguments) == 0
    content = json.loads(out.read_text())
    figures = content['figures']
    assert figures['forward'] < 1e-6 < 20 < figures['forward_mean_pose']
    points = {row['name']: row['forward'] for row in content['points']}
    assert list(points) == ['p0', 'p1', 'p2', 'p3']
    # The last is labeled in no image.
    assert max(points[f'p{i}'] for i in range(3)) < 1e-6 and points['p3'] is None


def test_official_predictions_on_celeba(tool, data_dir, tmp_path):
    """The authors' LMDIS scored by its own protocol, in pixels and in the square."""
    celeba = data_dir / 'celeba'
    files = [celeba / f'celeba_{part}.json' for part in ('fit', 'test')]
    predictions = celeba / 'lmdis_official_predictions.npz'
    expected = {
        (): (3.82, 9.47),
        ('bias=True',): (3.54, 9.47),
        ('frame=crop',): (3.54, 8.93),
        ('frame=crop', 'bias=True'): (3.29, 8.93),
    }
    for options, (forward, mean_pose) in expected.items():
        out = tmp_path / 'figures.json'
        command = [predictions, '--annotations', *files, '--protocol', 'mafl']
        command += ['--variant', 'lmdis', '--shots', '--out', out]
        command += ['--options', *options] if options else []
        assert status_of(tool, *command) == 0
        figures = json.loads(out.read_text())['figures']
        assert figures['forward'] == pytest.approx(forward, abs=5e-3)
        assert figures['forward_mean_pose'] == pytest.approx(mean_pose, abs=5e-3)
        if not options:
            assert figures['backward'] == pytest.approx(6.54, abs=5e-3)


@pytest.mark.parametrize(
    ('names', 'changes', 'message'),
    [
        (['a', 'b'], dict(filename=['a']), '1 of 2 images'),
        (['a', 'a'], dict(), 'several objects in a'),
        (['a', 'b'], dict(points=np.zeros((2, 4))), r'shape \(images, K, 2\)'),
    ],
)
def test_predictions_that_do_not_fit(tool, tmp_path, names, changes, message):
    points = np.random.default_rng(0).uniform(5, 35, (2, 4, 2))
    file = coco_file(tmp_path / 'a.json', names, points)
    arrays = dict(filename=['a', 'b'], points=points) | changes
    arrays['points'] = arrays['points'][: len(arrays['filename'])]
    np.savez(tmp_path / 'p.npz', **arrays)
    args = tool.parse_args(
        [str(tmp_path / 'p.npz'), '--annotations', str(file), str(file)]
    )
    with pytest.raises(ValueError, match=message):
        tool.evaluate_file(args)
