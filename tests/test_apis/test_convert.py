"""Label files of one program as those of another, on the command line and in Python."""

import json

import numpy as np
import pytest

import mmkp
from mmkp.cli.main import main
from mmkp.labels import LabelSet, read_labels, write_labels

TABLE = (
    'scorer,A,A,A,A\nbodyparts,nose,nose,tail,tail\ncoords,x,y,x,y\n'
    'labeled-data/m/0.png,1,2,3,4\nlabeled-data/m/1.png,5.25,6,,\n'
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / 'CollectedData A.csv'
    path.write_text(TABLE)
    return path


def test_on_the_command_line(table, tmp_path, capsys):
    out = tmp_path / 'out' / 'tidy.csv'
    main(['convert', str(table), str(out)])
    lines = capsys.readouterr().out.splitlines()
    assert '2 objects of 2 keypoints in 2 images' in lines[0]
    assert 'not kept: the name of the scorer' in lines
    assert lines[-1] == str(out)
    np.testing.assert_array_equal(
        read_labels(out).keypoints, read_labels(table).keypoints
    )
    main(['convert', str(out), str(tmp_path / 'back.csv'), '-f', 'dlc', '--json'])
    told = json.loads(capsys.readouterr().out)
    assert told['source_format'] == 'csv' and told['format'] == 'dlc'
    assert told['path'] == str(tmp_path / 'back.csv') and told['lost'] == []
    back = (tmp_path / 'back.csv').read_text().replace('mmkp', 'A')
    assert back == TABLE.replace('1,2,3,4', '1.0,2.0,3.0,4.0').replace(',6,', ',6.0,')


def test_nothing_is_overwritten_unasked(table, tmp_path, capsys):
    out = tmp_path / 'x.json'
    out.write_text('mine')
    with pytest.raises(SystemExit) as stopped:
        main(['convert', str(table), str(out)])
    assert stopped.value.code == 2 and out.read_text() == 'mine'
    assert capsys.readouterr().err.endswith('name another one, or give --overwrite\n')
    main(['convert', str(table), str(out), '--overwrite'])
    assert len(read_labels(out, 'coco')) == 2


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['none.csv', 'x.json'], "none.csv does not exist"),
        (['{table}', 'x'], "'x' does not say its format: name it with -f"),
        (['{table}', 'x.json', '--from', 'slp'], 'is no HDF5 file'),
    ],
)  # fmt: skip
def test_errors_are_one_sentence(table, tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(['convert', *(w.format(table=table) for w in words)])
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith('error: ') and message in told and told.count('\n') == 1


def test_weights_and_empty_runs_say_where_to_go(tmp_path):
    weights = tmp_path / 'pose.caffemodel'
    weights.write_bytes(b'x')
    with pytest.raises(ValueError, match='tools/model_converters has a tool'):
        mmkp.convert(weights, tmp_path / 'x.json')
    run = tmp_path / 'run'
    run.mkdir()
    (run / 'run.json').write_text('{}')
    with pytest.raises(ValueError, match=r'a run without keypoints\.json'):
        mmkp.convert(run, tmp_path / 'x.json')


def test_a_run_becomes_any_file_and_shows_itself(tmp_path):
    labels = LabelSet(
        keypoint_names=['nose', 'ear'],
        image_names=['a <b>.png'],
        image_index=[0, 0],
        keypoints=[[[1, 2], [3, 4]], [[5, 6], [np.nan, np.nan]]],
        scores=np.array([[0.5, 0.25], [0.75, np.nan]]),
        individuals=['one', 'two'],
        links=[(0, 1)],
    )
    run = tmp_path / '<run>'
    run.mkdir()
    write_labels(labels, run / 'keypoints.json')
    done = mmkp.convert(run, tmp_path / 'people', 'openpose')
    assert done.num_objects == 2 and done.num_images == 1 and done.num_keypoints == 2
    assert done.source_format == 'json' and done.format == 'openpose'
    assert done.lost[0] == 'names of 2 keypoints; they are numbered'
    assert 'names of 2 objects' in done.lost[1]
    assert '&lt;run&gt;' in done._repr_html_() and '<br>' in done._repr_html_()
    (written,) = (tmp_path / 'people').iterdir()
    assert written.name == 'a <b>_keypoints.json'
    people = json.loads(written.read_text())['people']
    assert people[1]['pose_keypoints_2d'] == [5, 6, 0.75, 0, 0, 0]
