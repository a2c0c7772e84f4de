"""Images of a config or a run as one picture."""

import json
from pathlib import Path

import cv2
import pytest

from mmkp.apis.browse import browse
from mmkp.apis.shipped_models import open_run
from mmkp.cli.main import main

CONFIG = 'lmdis-figure_puppets-64x64'


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(
        [
            'browse',
            CONFIG,
            '-n',
            '3',
            'train_dataloader.dataset.dataset.num_images=9',
            '--json',
        ]
    )
    told = json.loads(capsys.readouterr().out)
    assert told['path'] == str(Path('runs/browse', CONFIG, 'samples.png'))
    picture = cv2.imread(told['path'])
    # Two rows of two tiles of 224 pixels, captions below.
    assert 2 * 224 < picture.shape[1] < 500 and 2 * 224 < picture.shape[0] < 600
    main(['browse', CONFIG, '-n', '3', '-o', 'one.jpg'])
    assert capsys.readouterr().out.splitlines()[-1] == 'one.jpg'
    with pytest.raises(SystemExit):
        main(['browse', CONFIG, '-n', '3', '-o', 'one.jpg'])
    assert '--overwrite' in capsys.readouterr().err


def test_a_run_shows_what_its_config_says(tmp_path):
    by_run = browse(open_run('puppets-lmdis'), tmp_path / 'run', 2, 'val')
    by_name = browse('puppets-lmdis', tmp_path / 'name.png', 2, 'val')
    by_config = browse(CONFIG, tmp_path / 'config.png', 2, 'val')
    assert by_run.path == tmp_path / 'run' / 'samples.png'
    contents = {s.path.read_bytes() for s in (by_run, by_name, by_config)}
    assert len(contents) == 1
    assert by_run._repr_html_().startswith('<img alt="samples" src="data:image/png')


def test_misuse(tmp_path):
    with pytest.raises(ValueError, match="did you mean 'train'"):
        browse(CONFIG, tmp_path, phase='trian')
    with pytest.raises(ValueError, match='end in .png or .jpg'):
        browse(CONFIG, tmp_path / 'a.xyz', number=1)
    with pytest.raises(FileNotFoundError, match='does not exist'):
        browse('nothing', tmp_path)
