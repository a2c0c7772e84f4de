"""Several processes predict one source: nothing twice, nothing missing."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
from pathlib import Path

import films
import pytest
import tiny
import torch
from forked_shards import forked, lines_of, merge_slowly, predict_slowly, wait_until
from two_processes import needs_fork

import mmkp
from mmkp.apis.merge_shards import merge_if_complete, merge_shards
from mmkp.apis.predict_into import PredictionInterruptedError
from mmkp.apis.predict_shard import predict_shard, weights_digest
from mmkp.apis.prediction_tasks import PredictionTask
from mmkp.apis.run import Run
from mmkp.apis.shards import Shard
from mmkp.cli.main import main


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """A work directory of a training, which is a run."""
    return tiny.copy_run(tmp_path_factory.mktemp('run'))


@pytest.fixture(scope='module')
def model(run):
    return Run(run).load_model('cpu')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Images in two folders, one of them damaged, and two films of one name."""
    folder = tmp_path_factory.mktemp('in') / 'photos'
    tiny.draw_figures(folder, 9)
    tiny.draw_figures(folder / 'deep', 8)
    (folder / '004.png').write_bytes(b'nonsense')
    films.write(folder / 'film.avi', 5)
    films.write(folder / 'film.mp4', 6)
    return folder


def content_of(out):
    content = json.loads((Path(out) / 'keypoints.json').read_text())
    for record in content['images']:
        record.pop('picture', None)
    return content


@pytest.mark.parametrize('options', [{}, dict(smooth='kalman', tracks=True)])
def test_merged_is_what_one_process_writes(options, model, folder, tmp_path):
    options = dict(options, batch_size=3, draw='none' if options else 'all')
    whole = mmkp.predict(model, folder, tmp_path / 'whole', **options)
    out, count = tmp_path / 'out', 5
    for index in (3, 0, 4, 2):
        assert predict_shard(model, folder, out, f'{index}/{count}', **options) is None
        assert not (out / 'keypoints.json').exists()
    found = predict_shard(model, folder, out, '1/5', ['csv'], **options)
    assert content_of(out) == content_of(whole.path)
    assert found.labels.image_names == whole.labels.image_names and len(found) == 27
    assert found.figures.get('motion') == whole.figures.get('motion')
    assert found.figures['images'] == 27 and (out / 'keypoints.csv').is_file()
    if not options.get('smooth'):
        for one, other in zip(found, whole, strict=True):
            drawn = [f.path / r['picture'] for f, r in ((found, one), (whole, other))]
            is_film = drawn[0].suffix != '.png'  # with the rates in its corner
            assert is_film or drawn[0].read_bytes() == drawn[1].read_bytes()
            assert drawn[0].is_file()


def test_one_film_and_more_shards_than_there_are_files(model, tmp_path):
    film = films.write(tmp_path / 'a.mp4', 4)
    whole = mmkp.predict(model, film, tmp_path / 'whole', draw='none')
    found = [
        predict_shard(model, film, tmp_path / 'out', f'{index}/3', draw='none')
        for index in range(3)
    ]
    assert found[:2] == [None, None]
    assert content_of(found[2].path) == content_of(whole.path)


def test_a_result_below_its_source(model, tmp_path):
    folder = tiny.draw_figures(tmp_path / 'in', 6)
    for index in range(2):  # the second one must not see the pictures of the first
        found = predict_shard(model, folder, folder / 'out', f'{index}/2')
    assert [one['image'] for one in found] == [f'00{index}.png' for index in range(6)]


def test_the_command(run, folder, tmp_path, capsys):
    out = tmp_path / 'out'
    words = ['predict', str(run), str(folder), '-o', str(out), '--draw', 'none']
    words += ['-d', 'cpu', '-f', 'csv']
    main([*words, '--shard', '0/2'])
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith('shard 0/2: ') and printed[1] == str(out)
    assert printed[0].endswith(' images; 1/2 not done yet')
    main([*words, '--shard', '1/2', '--json'])
    told = json.loads(capsys.readouterr().out)
    assert told['merged'] and told['images'] == 27 and told['shards'] == 2
    # The result is a run.
    assert Run(out).config_file.samefile(run / 'tiny.py')
    assert Run(out).info['figures'] == {'images': 27, 'shards': 2}
    before = (out / 'keypoints.json').stat().st_mtime_ns
    main([*words, '--shard', '0/2', '--json'])  # all is there
    assert json.loads(capsys.readouterr().out)['merged']
    assert (out / 'keypoints.json').stat().st_mtime_ns == before
    main(['predict', '--merge', str(out), '-f', 'coco,csv'])
    assert capsys.readouterr().out == f'{out}\n' and (out / 'coco.json').is_file()
    assert (out / 'keypoints.json').stat().st_mtime_ns == before


def test_what_does_not_go_with_shards(run, model, folder, tmp_path, capsys):
    out = tmp_path / 'out'
    words = ['predict', str(run), str(folder), '-d', 'cpu', '--draw', 'none']
    main([*words, '-o', str(out), '--shard', '0/2'])
    mmkp.predict(model, folder / 'deep', tmp_path / 'other', draw='none')
    for more, message in (
        (['--shard', '0/2'], 'name it with -o'),
        (['-o', out, '--shard', '1/3'], 'holds parts of 2 shards, and this is 1/3'),
        (['-o', out, '--shard', '1/2', '--overwrite'], 'what the other shards'),
        (['-o', out, '--shard', '1/2', '--show-heatmaps'], 'without --shard'),
        (['-o', out, '--shard', '1/2', '--smooth', 'savgol'], 'with another smooth'),
        (['-o', tmp_path / 'other', '--shard', '0/2'], 'not predicted by shards'),
        (['-o', tmp_path / 'x', '--shard', '0/2', '--frames', '0-3'], 'those of films'),
        (['-o', out, '--shard', 'auto'], '--shard auto is for tasks of Slurm'),
    ):
        with pytest.raises(SystemExit) as ended:
            main([*words, *map(str, more)])
        assert ended.value.code == 2
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(['predict', '--merge', str(out)])
    assert 'cannot be merged: 1/2 not done yet' in capsys.readouterr().err
    with pytest.raises(ValueError, match='a camera is seen by one process'):
        predict_shard(model, 0, tmp_path / 'x', '0/2')
    with pytest.raises(ValueError, match='another source'):
        predict_shard(model, folder / 'deep', out, '1/2', draw='none')
    other = Run(run).load_model('cpu')
    torch.nn.init.zeros_(next(other.parameters()))
    assert weights_digest(other) != weights_digest(model)
    with pytest.raises(ValueError, match='another weights'):
        predict_shard(other, folder, out, '1/2', draw='none')


def test_parts_that_were_copied_together(model, tmp_path):
    folder = tiny.draw_figures(tmp_path / 'in', 12)
    outs = [tmp_path / 'here', tmp_path / 'there']
    for index, out in enumerate(outs):
        predict_shard(model, folder, out, f'{index}/2', draw='none')
    with pytest.raises(ValueError, match='cannot be merged: 1/2 not done'):
        merge_shards(outs[0])
    part = outs[0] / 'shards/1-of-2'
    shutil.copytree(outs[1] / 'shards/1-of-2', part)
    lines = (part / 'keypoints.jsonl').read_text()
    for damaged, message in (
        (lines[: lines.rindex('{"image"')], 'copy that part again'),
        (lines[:-9], 'it is damaged; remove '),
        (lines + lines[: lines.index('\n') + 1], 'hold an image twice'),
    ):
        (part / 'keypoints.jsonl').write_text(damaged)
        with pytest.raises(ValueError, match=message):
            merge_shards(outs[0])
        assert not (outs[0] / 'keypoints.json').exists()
    (part / 'keypoints.jsonl').write_text(lines)
    assert len(merge_shards(outs[0], ['csv'])) == 12
    with pytest.raises(ValueError, match='it holds no part of a shard'):
        merge_shards(tmp_path)
    shutil.copytree(part, outs[0] / 'shards/1-of-3')
    with pytest.raises(ValueError, match='holds parts of 2 and of 3 shards'):
        merge_shards(outs[0])


def test_files_that_come_meanwhile(model, tmp_path, caplog):
    folder = tiny.draw_figures(tmp_path / 'in', 12)
    predict_shard(model, folder, tmp_path / 'out', '0/2', draw='none')
    image = (folder / '005.png').read_bytes()
    late = [name for name in ('0a.png', '0b.png', '0c.png') if Shard(1, 2).owns(name)]
    for name in late:
        (folder / name).write_bytes(image)
    found = predict_shard(model, folder, tmp_path / 'out', '1/2', draw='none')
    names = [one['image'] for one in found]
    assert names == sorted(names) and len(names) == 12 + len(late) and late


def test_no_image_can_be_read(model, tmp_path):
    (tmp_path / 'a.png').write_bytes(b'nonsense')
    assert predict_shard(model, [tmp_path / 'a.png'], tmp_path / 'o', '0/2') is None
    with pytest.raises(ValueError, match=r'no image of .*a.png. can be read'):
        predict_shard(model, [tmp_path / 'a.png'], tmp_path / 'o', '1/2')


def test_ctrl_c(model, folder, tmp_path, monkeypatch):
    calls, predict = [], PredictionTask.predict

    def interrupted(task, names, images):
        calls.extend(names)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return predict(task, names, images)

    monkeypatch.setattr(PredictionTask, 'predict', interrupted)
    options = dict(batch_size=2, draw='none')
    with pytest.raises(PredictionInterruptedError, match='after 4 images'):
        predict_shard(model, folder, tmp_path, '0/1', **options)
    found = predict_shard(model, folder, tmp_path, '0/1', **options)
    assert len(found) == 27 and len(calls) == 27 + 2


@needs_fork
def test_killed_again_and_again(model, folder, tmp_path):
    whole = mmkp.predict(model, folder, tmp_path / 'whole', draw='none', batch_size=2)
    out = tmp_path / 'out'
    for kill in range(3):
        processes = [
            forked(predict_slowly, model, folder, out, f'{index}/2', 0.05)
            for index in range(2)
        ]
        wait_until(lambda so_far=5 + 6 * kill: lines_of(out) >= so_far)
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        assert not (out / 'keypoints.json').exists()
        with (out / 'shards/0-of-2/keypoints.jsonl').open('a') as file:
            file.write('{"image": "half a li')
    processes = [
        forked(predict_slowly, model, folder, out, f'{i}/2', 0) for i in range(2)
    ]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert content_of(out) == content_of(whole.path)
    assert (out / 'keypoints.csv').is_file()


@needs_fork
def test_a_shard_is_predicted_by_one_process(model, folder, tmp_path):
    process = forked(predict_slowly, model, folder, tmp_path, '0/2', 0.3)
    wait_until(lambda: lines_of(tmp_path))
    with pytest.raises(ValueError, match=r"shard 0/2 of '.*' is being predicted by an"):
        predict_shard(model, folder, tmp_path, '0/2', ['csv'], draw='none')
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    predict_shard(model, folder, tmp_path, '0/2', ['csv'], draw='none')


@needs_fork
def test_one_process_merges(model, tmp_path):
    folder, out = tiny.draw_figures(tmp_path / 'in', 12), tmp_path / 'out'
    predict_shard(model, folder, out, '0/2', draw='none')
    predict_shard(model, folder, out, '1/2', draw='none')
    context = multiprocessing.get_context('fork')
    for killed, expected in ((False, 1), (True, 2)):
        for path in (*out.glob('*.*'), out / 'shards/merged.json'):
            path.unlink(missing_ok=True)
        (out / 'merged by').write_text('')
        barrier = context.Barrier(2)
        processes = [
            forked(merge_slowly, out, barrier, 0.3),
            forked(merge_slowly, out, barrier, 0.3, killed),
        ]
        for process in processes:
            process.join(60)
        merged_by = (out / 'merged by').read_text().split()
        # The one that was killed may have been the second to come.
        assert len(merged_by) in {1, expected}
        assert len(merge_if_complete(out)) == 12
        assert (out / 'keypoints.csv').is_file()


def test_tasks_that_srun_starts(run, tmp_path, monkeypatch):
    folder, out = tiny.draw_figures(tmp_path / 'a folder', 8), tmp_path / 'out'
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    variables = dict(PATH=f'{tmp_path}:{os.environ["PATH"]}', TASKS='2', GRES='')
    script = tiny.TOOLS / 'slurm_predict.sh'
    found = subprocess.run(
        ['bash', script, 'part', 'job', run, folder, out, '--draw', 'none'],
        env={**os.environ, **variables}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    options, words = found.stdout.split('mmkp\n')[0], found.stdout.split('mmkp\n')[-1]
    assert '--ntasks=2\n' in options and '--gres' not in options
    for task in range(2):
        monkeypatch.setenv('SLURM_NTASKS', '2')
        monkeypatch.setenv('SLURM_PROCID', str(task))
        main([*words.splitlines(), '-d', 'cpu'])
    assert len(content_of(out)['images']) == 8
