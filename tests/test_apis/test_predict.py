"""From a run and a source to keypoints, whatever happens on the way."""

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import cv2
import films
import numpy as np
import pytest
import tiny

import mmkp
from mmkp.apis import load_model, predict_files
from mmkp.apis.file_prediction import as_instances, as_records
from mmkp.apis.predict_into import PredictionInterruptedError
from mmkp.apis.prediction_tasks import PredictionTask
from mmkp.apis.predictions import FORMAT_FILES, Predictions, labels_of
from mmkp.apis.run import Run
from mmkp.cli.main import main


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """A work directory of a training, which is a run."""
    return tiny.copy_run(tmp_path_factory.mktemp('run'))


@pytest.fixture(scope='module')
def model(run):
    return Run(run).load_model('cpu')


@pytest.fixture
def film(tmp_path):
    return films.write(tmp_path / 'a film.mp4', 12)


def content_of(folder):
    return json.loads((Path(folder) / 'keypoints.json').read_text())


def test_a_run_and_a_film(run, film, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = mmkp.predict(run, film, device='cpu', draw='sheet')
    assert found.path == Path('runs/predict/a_film') and len(found) == 12
    assert sorted(p.name for p in found.path.iterdir()) == [
        'keypoints.json', 'run.json', 'sheet.jpg',
    ]  # fmt: skip
    content = content_of(found.path)
    assert content['keypoint_names'] == ['0', '1', '2', '3']
    assert content['frames_per_second'] == 10 and content['links'] == []
    # The result is a run, too.
    again = Run(found.path)
    assert again.info['verb'] == 'predict' and again.source == str(film)
    assert again.config_file.samefile(run / 'tiny.py')
    assert again.info['figures']['images'] == 12
    assert mmkp.predict(again, film, device='cpu', draw='none').path.name == 'a_film-2'
    assert [one['image'] for one in found][-1] == found[11]['image'] == 'a film_000011'
    shown = found._repr_html_()
    assert '12 images' in shown and 'data:image/jpeg' in shown and shown.isascii()
    labels = found.labels
    assert labels.keypoints.shape == (12, 4, 2) and labels.film == film
    assert labels.times[1] == pytest.approx(0.1) and labels.image_sizes[0, 0] == 96


def test_what_old_and_new_form_write_is_the_same(run, film, tmp_path, capsys):
    old, new = tmp_path / 'old', tmp_path / 'new'
    words = ['-b', '4', '-d', 'cpu', '--draw', 'none']
    checkpoint = run / 'iter_14.pth'
    main(
        ['predict', str(run / 'tiny.py'), str(checkpoint), str(film), '-o', str(old)]
        + words
    )
    assert [path.name for path in old.iterdir()] == ['keypoints.json']
    main(['predict', str(run), str(film), '-o', str(new), *words])
    assert capsys.readouterr().out.splitlines()[-1] == str(new)
    assert content_of(old) == content_of(new)
    with pytest.raises(SystemExit):
        main(['predict', str(run), str(film), '-o', str(new), *words])
    assert 'exists and holds something' in capsys.readouterr().err
    main(['predict', str(run), str(film), '-o', str(new), *words, '--overwrite'])
    main(['predict', str(run), str(film), '-o', str(tmp_path / 'j'), *words, '--json'])
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed['path'] == str(tmp_path / 'j') and printed['images'] == 12


def test_overrides_and_sources_on_the_command_line(run, tmp_path, capsys):
    folder = tiny.draw_figures(tmp_path / 'in = out', 3)
    images = sorted(map(str, folder.iterdir()))
    words = ['-d', 'cpu', '--no-pictures', '-o']
    main(['predict', str(run), *images, *words, str(tmp_path / '1')])
    assert [one['image'] for one in content_of(tmp_path / '1')['images']] == [
        '000.png', '001.png', '002.png',
    ]  # fmt: skip
    option = 'model.test_cfg.output_keypoint_indices=[1,2]'
    main(['predict', str(run), str(folder), option, *words, str(tmp_path / '2')])
    assert content_of(tmp_path / '2')['num_keypoints'] == 2
    for wrong, message in (
        ([str(run)], 'arguments are required: source'),
        ([str(run / 'tiny.py'), str(folder)], 'are required: source'),
        ([str(run), str(folder), 'gone.png'], "unexpected argument 'gone.png'"),
        ([str(run), str(folder), '-f', 'csv,xls'], "'xls' is no format of files"),
        ([str(tmp_path), str(folder)], 'is no run: it has no run.json, and 0 configs'),
        (
            [str(run), str(folder), '--smooth', 'kalman', '--show-heatmaps'],
            'without --',
        ),
        ([str(run), str(folder), '--smooth', 'kalman'], 'are of films, and these are'),
        ([str(run), str(folder), '--frames', '9-2'], 'is no range of frames'),
    ):
        with pytest.raises(SystemExit) as ended:
            main(['predict', *wrong, '-d', 'cpu', '-o', str(tmp_path / 'x')])
        assert ended.value.code == 2
        assert message in capsys.readouterr().err
        for path in (tmp_path / 'x').glob('*'):
            path.unlink()


def test_arrays_are_rgb(model, tmp_path):
    folder = tiny.draw_figures(tmp_path / 'in', 2)
    paths = sorted(folder.iterdir())
    arrays = [cv2.imread(str(path))[..., ::-1] for path in paths]
    held = mmkp.predict(model, arrays, tmp_path / 'a', draw='none')
    read = mmkp.predict(model, paths, tmp_path / 'b', draw='none')
    for one, other in zip(held, read, strict=True):
        assert one['instances'] == other['instances']


def test_smoothed_films_are_drawn_as_smoothed(model, tmp_path):
    path = films.write(tmp_path / 'a.mp4', 40)
    raw = mmkp.predict(model, path, tmp_path / 'raw', draw='none')
    found = mmkp.predict(model, path, tmp_path / 'smooth', smooth='kalman')
    assert [one['image'] for one in found] == [one['image'] for one in raw]
    assert found[0]['picture'].startswith('pictures/a.')
    assert cv2.VideoCapture(str(found.path / found[0]['picture'])).get(7) == 40
    figures = found.figures['motion']['']
    assert figures['tracks'] == 1 and figures['jitter'][1] <= figures['jitter'][0]
    assert found.labels.individuals == [''] * 40
    points = found.labels.keypoints
    assert 0 < np.abs(points - raw.labels.keypoints).max() < 10
    named = mmkp.predict(model, path, tmp_path / 'named', tracks=True, draw='none')
    assert named[0]['instances'][0]['track'] == 'track_0'
    assert all(name.startswith('track_') for name in named.labels.individuals)
    with pytest.raises(ValueError, match='--fix-swaps needs pairs of left and right'):
        mmkp.predict(model, path, tmp_path / 'fix', fix_swaps=True)


def test_several_films_have_several_pictures(model, tmp_path):
    folder = tiny.draw_figures(tmp_path / 'in', 1)
    for name in ('a.mp4', 'deep/b.avi'):
        (folder / name).parent.mkdir(exist_ok=True)
        films.write(folder / name, 3)
    found = mmkp.predict(model, folder, tmp_path / 'out', smooth='savgol')
    assert [one.get('film') for one in found] == [None, *['a'] * 3, *['deep/b'] * 3]
    drawn = {one['picture'].rsplit('.', 1)[0] for one in found}
    assert drawn == {'pictures/000', 'pictures/a', 'pictures/deep/b'}
    assert all((found.path / one['picture']).is_file() for one in found)
    assert set(found.figures['motion']) == {'a', 'deep/b'}


def test_ctrl_c_writes_what_is_there_and_resume_goes_on(
    model, run, film, tmp_path, monkeypatch, capsys
):
    whole = predict_files(model, film, tmp_path / 'whole', draw=False, batch_size=4)
    calls, predict = [], PredictionTask.predict

    def interrupted(task, names, images):
        calls.append(names)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return predict(task, names, images)

    monkeypatch.setattr(PredictionTask, 'predict', interrupted)
    out = tmp_path / 'out'
    with pytest.raises(PredictionInterruptedError, match='interrupted after 8 images'):
        mmkp.predict(model, film, out, draw='none', batch_size=4)
    assert len(content_of(out)['images']) == 8
    # Killed while a line was written.
    with (out / 'keypoints.jsonl').open('a') as file:
        file.write('{"image": "a fi')
    found = mmkp.predict(model, film, out, batch_size=4, resume=True)
    assert calls[3] == [f'a film_{n:06d}' for n in range(8, 12)]
    assert not (out / 'keypoints.jsonl').exists()
    expected = json.loads(whole.read_text())['images']
    drawn = [{k: v for k, v in one.items() if k != 'picture'} for one in found]
    assert drawn == expected
    assert cv2.VideoCapture(str(out / found[0]['picture'])).get(7) == 12
    with pytest.raises(ValueError, match='holds keypoints of .*a film.mp4'):
        mmkp.predict(model, tmp_path, out, resume=True)
    del calls[:]
    words = ['predict', str(run), str(film), '-o', str(tmp_path / 'c'), '-b', '4']
    with pytest.raises(SystemExit) as ended:
        main([*words, '-d', 'cpu', '--draw', 'none'])
    assert ended.value.code == 130
    told = capsys.readouterr().err
    assert 'to go on: mmkp predict ' in told and '--resume' in told


KILLED = """
import sys, time
from mmkp.apis.prediction_tasks import PredictionTask
from mmkp.cli.main import main
predict = PredictionTask.predict
def slow(*args):
    time.sleep(.3)
    return predict(*args)
PredictionTask.predict = slow
main(['predict', *sys.argv[1:]])
"""


@pytest.mark.slow
def test_what_a_killed_program_leaves(run, tmp_path):
    path = films.write(tmp_path / 'a.mp4', 60)
    out = tmp_path / 'out'
    words = [str(run), str(path), '-o', str(out), '-b', '2', '-d', 'cpu']
    program = subprocess.Popen(
        [sys.executable, '-c', KILLED, *words], stderr=subprocess.DEVNULL
    )
    lines, began = out / 'keypoints.jsonl', time.monotonic()
    while not lines.exists() or len(lines.read_text().splitlines()) < 6:
        assert program.poll() is None and time.monotonic() - began < 120
        time.sleep(0.05)
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    kept = [json.loads(line) for line in lines.read_text().splitlines()]
    assert 6 <= len(kept) < 60 and len(kept[0]['instances'][0]['keypoints']) == 4
    found = mmkp.predict(run, path, out, device='cpu', resume=True, draw='none')
    assert len(found) == 60


def test_memory_is_that_of_a_batch(model, tmp_path):
    """Neither images nor records stay."""
    path = films.write(tmp_path / 'a.mp4', 240, size=(320, 240))
    mmkp.predict(model, path, tmp_path / '0', frames='0-3', draw='none')

    def peak(last):
        tracemalloc.start()
        mmkp.predict(model, path, tmp_path / str(last), frames=range(last), draw='none')
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    # Of 160 frames of 230 kB; threads hold up to two batches, more or less.
    assert peak(240) - peak(80) < 7.5e6


def test_records_and_arrays_are_the_same():
    instances = dict(
        keypoints=np.array([[[1.25, 2], [3, 4]]]),
        keypoint_scores=np.array([[0.5, 0.25]]),
        bboxes=np.array([[0.0, 1, 2, 3]]),
        bbox_scores=np.array([1.0]),
    )
    again = as_instances(as_records(instances), 2)
    for name, value in instances.items():
        np.testing.assert_array_equal(again[name], value)
    assert as_instances([], 3)['keypoints'].shape == (0, 3, 2)


def test_labels_leave_out_what_was_not_found():
    instance = dict(
        keypoints=[[1, 2], [None, None], [3, 4]],
        keypoint_scores=[0.5, 0.2, 0],
        bbox=[0, 0, 9, 9],
        bbox_score=1,
        track='track_3',
    )
    record = dict(image='a.png', width=9, height=8, instances=[instance])
    labels = labels_of(
        dict(
            source='x',
            num_keypoints=3,
            keypoint_names=list('abc'),
            flip_indices=[1, 0, 2],
            links=[[0, 2]],
            images=[record, dict(record, image='b.png', instances=[])],
        )
    )
    assert np.isfinite(labels.keypoints[0]).all(-1).tolist() == [True, False, False]
    assert labels.image_names == ['a.png', 'b.png'] and len(labels) == 1
    assert labels.swaps == [(0, 1)] and labels.links == [(0, 2)]
    assert labels.individuals == ['track_3'] and labels.times is None


@pytest.mark.parametrize('format', [name for name in FORMAT_FILES if name != 'json'])
def test_other_programs_files(format, model, film, tmp_path):
    labels = pytest.importorskip('mmkp.labels')
    if not hasattr(labels, 'write_labels'):
        pytest.skip('no writers of label files yet')
    found = mmkp.predict(model, film, tmp_path / 'out', ['json', format], draw='none')
    path = found.path / FORMAT_FILES[format]
    assert path.exists()
    if hasattr(labels, 'read_labels') and format in ('csv', 'coco', 'dlc', 'slp'):
        again = labels.read_labels(path)
        np.testing.assert_allclose(
            again.keypoints, found.labels.keypoints, atol=1e-3, equal_nan=True
        )


def test_predictions_of_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no keypoints.json'):
        Predictions(tmp_path)


def test_old_form_still_takes_a_config_and_a_checkpoint(film, tmp_path):
    config, checkpoint = tiny.trained()
    loaded = load_model(config, checkpoint, device='cpu')
    path = predict_files(loaded, film, tmp_path / 'out', batch_size=5)
    assert sorted(p.name for p in path.parent.iterdir()) == [
        'keypoints.json', 'pictures',
    ]  # fmt: skip
