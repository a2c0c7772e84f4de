"""Configs for a folder of images: mixed sizes, one key for the folder, one for K."""

import json

import cv2
import numpy as np
import pytest
from mmpose.registry import MODELS
from tiny import call_tool

from mmkp.apis import load_model
from mmkp.engine import ConfigError, load_config
from mmkp.engine.config_names import configs_folder
from mmkp.engine.option_values import OptionText

CONFIGS = sorted(configs_folder().glob('unsupervised_2d_keypoint/*/folder/*.py'))
SELF_CONTAINED = (
    'lmdis-light_folder-64x64',
    'fse-light_folder-64x64',
    'recommended_folder-64x64',
)


def stem(path):
    return path.stem


@pytest.fixture
def photos(tmp_path):
    """A folder with blanks in its name, of photographs of mixed sizes."""
    folder = tmp_path / 'meine Fotos, [ä]'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index, size in enumerate([(40, 70), (90, 60), (64, 64), (33, 120), (100, 50)]):
        noise = rng.integers(0, 255, (*size, 3), dtype=np.uint8)
        done, data = cv2.imencode('.png', cv2.GaussianBlur(noise, (0, 0), 4))
        assert done
        (folder / f'{index}.png').write_bytes(data.tobytes())
    return folder


@pytest.mark.parametrize('path', CONFIGS, ids=stem)
def test_folder_and_number_are_said_once(path):
    text = path.read_text()
    lines = [line for line in text.splitlines() if not line.startswith('#')]
    assert lines[:2] == ["data_root = 'data/my_images'", 'num_keypoints = 10']
    assert (
        text.count('data/my_images') == 1 and text.count('10') - text.count('num_t') < 4
    )
    cfg = load_config(path, dict(data_root='x', num_keypoints=12))
    model = cfg.model
    datasets = [cfg[f'{part}_dataloader'].dataset for part in ('train', 'val', 'test')]
    assert [d.data_root for d in datasets] == ['x'] * 3
    assert {d.num_keypoints for d in datasets} == {12} == {model.head.num_keypoints}
    assert model.get('train_cfg', {}).get('num_candidates', 12) >= 12
    assert cfg.val_evaluator.type == 'KeypointCollapseMetric'  # needs no label, no clip


def test_every_method_has_one():
    methods = {path.parents[1].name for path in CONFIGS}
    assert methods == {
        p.name for p in configs_folder().glob('unsuper*/*') if p.is_dir()
    }


@pytest.mark.parametrize('name', SELF_CONTAINED)
def test_photographs_of_mixed_sizes_without_any_other_file(tmp_path, photos, name):
    work = tmp_path / 'work'
    call_tool(
        *('train.py', name, '--work-dir', work, '--cfg-options'),
        *(f'data_root={photos}', 'num_keypoints=4', 'train_dataloader.batch_size=2'),
        *('train_cfg.max_iters=2', 'train_cfg.val_interval=2', 'log_level=WARNING'),
        *('train_dataloader.num_workers=0', 'val_dataloader.num_workers=0'),
        'train_dataloader.persistent_workers=False',
        'val_dataloader.persistent_workers=False',
        'default_hooks.checkpoint.interval=2',
    )
    found = []
    # As it is dumped, and by its name with the options again, predictions agree.
    for config, options in (
        (work / f'{name}.py', []),
        (name, ['--cfg-options', f'data_root={photos}', 'num_keypoints=4']),
    ):
        out = tmp_path / f'out{len(found)}'
        call_tool(
            'infer.py', config, work / 'iter_2.pth', photos, '--out', out, *options
        )
        assert len(list((out / 'pictures').iterdir())) == 5
        (path,) = out.glob('*.json')
        found.append(json.loads(path.read_text()))
    assert found[0] == found[1]


def test_the_dumped_config_is_the_same(tmp_path):
    options = dict(data_root=OptionText('a "b" \\c'), num_keypoints=OptionText('3'))
    cfg = load_config(SELF_CONTAINED[0], options)
    cfg.dump(tmp_path / 'dumped.py')
    again = load_config(tmp_path / 'dumped.py', work_dir=cfg.work_dir)
    assert again.to_dict() == cfg.to_dict()
    # There the variables are written out, and a single one cannot be set.
    with pytest.raises(ConfigError, match='set model.*num_keypoints, test_.*num'):
        load_config(tmp_path / 'dumped.py', dict(num_keypoints=4))


def test_a_model_of_a_loss_with_weights_predicts_without_them(tmp_path):
    cfg = load_config('autolink-equivariance_folder-64x64')
    cfg.model.losses.perceptual.weights = str(tmp_path / 'absent.npz')
    model = MODELS.build(cfg.model)  # as MMPose's inferencers and tools/test.py do
    assert model.losses['perceptual'] is not None
    with pytest.raises(FileNotFoundError, match='absent.npz does not exist; give'):
        model.init_weights()
    assert load_model(cfg).num_keypoints == 10


def test_all_configs_build_where_there_is_no_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    for path in sorted(configs_folder().rglob('*.py')):
        if '_base_' not in path.parts:
            MODELS.build(load_config(path).model)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('path', CONFIGS, ids=stem)
def test_a_detector_is_said_once(path):
    assert load_config(path).train_dataloader.dataset.detector.model is None
    cfg = load_config(path, dict(detector='a.onnx', classes=OptionText('dog,cat')))
    for part in ('train', 'val', 'test'):
        found = cfg[f'{part}_dataloader'].dataset.detector
        assert found == dict(model='a.onnx', classes=['dog', 'cat'])
