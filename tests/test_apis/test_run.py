"""A run is a folder, and folders are never overwritten."""

import shutil

import pytest
import tiny
import torch

import mmkp
from mmkp.apis.run import Run
from mmkp.apis.run_folders import new_folder


@pytest.fixture
def work_dir(tmp_path):
    config, checkpoint = tiny.trained()
    folder = tmp_path / 'work'
    folder.mkdir()
    for path in (config, checkpoint):
        shutil.copy(path, folder)
    return folder


def test_a_work_directory_is_a_run(work_dir):
    run = mmkp.Run(work_dir)
    assert run.config_file.parent == run.checkpoint.parent == work_dir
    assert run.load_model('cpu').num_keypoints == 4
    assert run.score is None and run.keypoint_names is None and run.source is None
    assert Run(run).path == run.path and repr(run) == f"Run('{work_dir}')"


def test_what_is_written_down_is_read_back(work_dir):
    known = dict(source='Bilder ü', keypoint_names=['nose', 'tail'])
    run = Run.create(work_dir, 'name', **known)
    config = run.config_file.name
    run.update(config=config, checkpoint=run.checkpoint.name, swaps=[(0, 1)])
    again = Run(work_dir)
    assert again.info['verb'] == 'name' and again.info['mmkp'] == mmkp.__version__
    assert again.source == 'Bilder ü' and again.keypoint_names == ['nose', 'tail']
    assert again.info['swaps'] == [[0, 1]]
    (work_dir / 'other.py').write_text('a = 1')  # told apart by what is written down
    assert again.config_file == work_dir / config
    state = torch.load(again.checkpoint, weights_only=False)['state_dict']
    for name, value in again.load_model('cpu').state_dict().items():
        assert torch.equal(value, state[name])


def test_what_is_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match='no folder of a run'):
        Run(tmp_path / 'nothing')
    with pytest.raises(FileNotFoundError, match=r'no run\.json, and 0 configs'):
        Run(tmp_path).config_file  # noqa: B018
    with pytest.raises(FileNotFoundError, match='holds no checkpoint'):
        Run(tmp_path).checkpoint  # noqa: B018


def test_folders_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [str(new_folder('discover', 'my photos/Käfer 1.avi')) for _ in range(3)]
    first = 'runs/discover/Käfer_1'
    assert names == [first, f'{first}-2', f'{first}-3']
    assert str(new_folder('predict')) == 'runs/predict/' + tmp_path.name[:80]


def test_what_was_asked_for_is_emptied_only_if_it_is_a_result(tmp_path):
    out = tmp_path / 'out'
    assert new_folder('name', out=out) == new_folder('name', out=out) == out
    (out / 'notes.txt').write_text('mine')
    with pytest.raises(FileExistsError, match='give --overwrite'):
        new_folder('name', out=out)
    with pytest.raises(ValueError, match='not written by mmkp'):
        new_folder('name', out=out, overwrite=True)
    assert (out / 'notes.txt').read_text() == 'mine'
    Run.create(out, 'name')
    assert not list(new_folder('name', out=out, overwrite=True).iterdir())
    (tmp_path / 'file').write_text('')
    with pytest.raises(FileExistsError, match='is a file'):
        new_folder('name', out=tmp_path / 'file')
