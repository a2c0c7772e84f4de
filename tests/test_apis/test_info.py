"""What a file or folder is, what it holds, and what can be done with it."""

import json

import films
import numpy as np
import pytest
import tiny
import tiny_sources

import mmkp
from mmkp.cli.main import main
from mmkp.labels import LabelSet, write_labels


def test_of_labels(tmp_path, capsys):
    labels = LabelSet(
        keypoint_names=['nose', 'ear <l>', 'ear r'],
        image_names=['a.png', 'b.png', 'c.png'],
        image_index=[0, 0, 1],
        keypoints=np.arange(18.0).reshape(3, 3, 2),
        individuals=['x', 'y', 'x'],
        image_sizes=np.array([[64, 48], [64, 48], [30, 20]]),
        links=[(0, 1)],
    )
    labels.keypoints[1, 2] = np.nan
    labels.visibility[1] = [2, 1, 0]
    path = tmp_path / 'some labels.json'
    write_labels(labels, path)
    found = mmkp.info(path)
    assert found.kind == 'COCO keypoints json'
    facts = found.facts
    assert facts['images'] == 3 and facts['images without object'] == 1
    assert facts['objects'] == 3 and facts['most in an image'] == 2
    assert facts['missing points'] == {'ear r': 1} and facts['hidden points'] == 1
    assert facts['individuals'] == ['x', 'y']
    assert facts['sizes'] == {'64 x 48': 2, '30 x 20': 1}
    assert found.commands[0] == f"mmkp convert '{path}' OUT -f FORMAT"
    assert 'ear &lt;l&gt;' in found._repr_html_()
    main(['info', str(path), '--json'])
    told = json.loads(capsys.readouterr().out)
    assert told['kind'] == found.kind and told['next'] == found.commands
    assert {name: told[name] for name in facts} == facts
    main(['info', str(path)])
    assert 'keypoints:             nose, ear <l>, ear r\n' in capsys.readouterr().out


def test_of_images(tmp_path):
    tiny_sources.paint(tmp_path / 'a.png', (40, 30))
    tiny_sources.paint(tmp_path / 'b.png', (40, 30))
    (tmp_path / 'c.jpg').write_bytes(b'no image')
    found = mmkp.info(tmp_path)
    assert found.kind == 'folder of images' and found.facts['images'] == 3
    assert found.facts['sizes'] == {'40 x 30': 2}
    assert found.facts['cannot be decoded'] == ['c.jpg']
    assert found.commands[0] == f'mmkp discover {tmp_path} -k 10'
    assert mmkp.info(tmp_path / 'a.png').kind == 'image'


def test_of_a_film(tmp_path):
    path = tmp_path / 'f.avi'
    films.write(path, number=12, size=(64, 48))
    facts = mmkp.info(path).facts
    assert facts['size'] == [64, 48] and facts['frames'] == 12


def test_of_configs_checkpoints_and_runs(tmp_path):
    config, checkpoint = tiny.trained()
    found = mmkp.info(config)
    assert found.kind == 'config' and found.facts['model']
    assert found.commands[0] == f'mmkp train {config}'
    found = mmkp.info(checkpoint)
    assert found.kind == 'checkpoint'
    assert found.facts['weights'] > 100 and found.facts['iter']
    run = tmp_path / 'run'
    run.mkdir()
    (run / 'run.json').write_text(
        json.dumps(dict(verb='discover', config='c.py', checkpoint='m.pth', source='s'))
    )
    found = mmkp.info(run)
    assert found.kind == 'run' and found.facts['verb'] == 'discover'
    assert found.facts['keypoint names'] == 'none yet'
    assert f'mmkp name {run} LABELS' in found.commands


def test_of_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        mmkp.info(tmp_path / 'none')
    (tmp_path / 'notes.txt').write_text('milk')
    with pytest.raises(ValueError, match='no known format'):
        mmkp.info(tmp_path / 'notes.txt')
