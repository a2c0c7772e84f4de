"""Bottom-up models in tools/infer.py and tools/test.py: people, heatmaps, fields."""

import json
import re

import cv2
import numpy as np
import pytest
import tiny
import tiny_people


@pytest.fixture(scope='module')
def images():
    return tiny_people.made()[0].parent / 'images'


def infer(source, out, *options):
    config, checkpoint = tiny_people.made()
    tiny.call_tool(
        'infer.py', config, checkpoint, source, '--out', out, '--device', 'cpu',
        *options,
    )  # fmt: skip
    return json.loads((out / 'keypoints.json').read_text())


def test_folder_with_heatmaps_and_fields(images, tmp_path, capsys):
    out = tmp_path / 'out'
    content = infer(images, out, '--show-heatmaps', '--show-fields')
    assert content['num_keypoints'] == 17
    for index, record in enumerate(content['images']):
        assert record['image'] == f'{index:03d}.png'
        people = tiny_people.people_of(index)
        found = [instance['keypoints'] for instance in record['instances']]
        assert len(found) == len(people)
        if len(people):
            order = np.argsort([person[0][0] for person in found])
            np.testing.assert_allclose(np.array(found)[order], people, atol=3)
    for folder in ('pictures', 'heatmaps', 'fields'):
        names = sorted(path.name for path in (out / folder).iterdir())
        assert names == [f'{index:03d}.png' for index in range(4)]
        assert cv2.imread(str(out / folder / '000.png')).shape == (192, 384, 3)
        assert str(out / folder) in capsys.readouterr().out or folder != 'pictures'


@pytest.mark.parametrize('style', ['arrows', 'all'])
def test_other_pictures_of_fields(images, tmp_path, style):
    infer(images / '001.png', tmp_path, '--show-fields', style, '--no-pictures')
    assert not (tmp_path / 'fields').exists()
    infer(images / '001.png', tmp_path, '--show-fields', style)
    drawn = cv2.imread(str(tmp_path / 'fields' / '001.png'))
    assert (drawn.shape[0] > 700) == (style == 'all')
    infer(images / '001.png', tmp_path / 'heat', '--show-heatmaps', 'all')
    drawn = cv2.imread(str(tmp_path / 'heat' / 'heatmaps' / '001.png'))
    assert drawn.shape[0] > 700


def test_video_with_its_rate(images, tmp_path, capsys):
    frame = cv2.imread(str(images / '000.png'))
    film = tmp_path / 'film.mp4'
    writer = cv2.VideoWriter(
        str(film), cv2.VideoWriter.fourcc(*'mp4v'), 12, frame.shape[1::-1]
    )
    for _ in range(5):
        writer.write(frame)
    writer.release()
    content = infer(film, tmp_path / 'out', '--show-fields', '--batch-size', 2)
    assert re.search(r'5 frames in .* s, .* a second', capsys.readouterr().err)
    assert [len(record['instances']) for record in content['images']] == [2] * 5
    for folder in ('pictures', 'fields'):
        (path,) = (tmp_path / 'out' / folder).glob('film.*')
        drawn = cv2.VideoCapture(str(path))
        assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 5
        assert drawn.get(cv2.CAP_PROP_FPS) == 12
        _, picture = drawn.read()
        assert picture.shape == (192, 384, 3)
        assert (picture[:20, -70:].min(-1) > 180).sum() > 30  # white letters


@pytest.mark.parametrize(
    'options, message',
    [
        (['--show-edges'], 'learns no edges to show'),
        (['--boxes', 'boxes.json'], 'finds people itself: leave out --boxes'),
    ],
)
def test_what_bottom_up_models_have_not(images, tmp_path, capsys, options, message):
    (tmp_path / 'boxes.json').write_text('{"000.png": [[0, 0, 5, 5]]}')
    options = [str(tmp_path / o) if o == 'boxes.json' else o for o in options]
    with pytest.raises(SystemExit):
        infer(images, tmp_path / 'out', *options)
    assert message in capsys.readouterr().err


def test_discovery_models_have_no_fields(tmp_path, capsys):
    config, checkpoint = tiny.trained()
    with pytest.raises(SystemExit):
        tiny.call_tool(
            'infer.py', config, checkpoint, config.parent / 'images', '--out',
            tmp_path, '--show-fields', '--show-heatmaps',
        )  # fmt: skip
    told = capsys.readouterr().err
    assert 'fields are shown of bottom-up models, AutoLink is none' in told


def test_evaluation_with_pictures_of_predictions(images, tmp_path):
    config, checkpoint = tiny_people.made()
    out = tmp_path / 'metrics.json'
    tiny.call_tool(
        'test.py', config, checkpoint, '--out', out, '--show-dir', tmp_path / 'drawn',
        '--work-dir', tmp_path / 'work', '--cfg-options',
        'model.test_cfg.output_heatmaps=True',
    )  # fmt: skip
    metrics = json.loads(out.read_text())
    assert metrics['coco/AP'] > 0.95
    # With an image of nobody among them; heatmaps are below the people.
    drawn = sorted((tmp_path / 'drawn').rglob('*.png'))
    assert len(drawn) == 4
    width, height, _ = tiny_people.IMAGES[1]
    assert cv2.imread(str(drawn[1])).shape[:2] == (2 * height, width)
