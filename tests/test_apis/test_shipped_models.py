"""Models that come with the package: they load, and reproduce their figures."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from mmengine.config import Config

from mmkp.apis import load_model, predict_files, predict_people
from mmkp.apis.compared_run import ComparedRun, measure_run
from mmkp.apis.run import Run
from mmkp.apis.shipped_models import (
    WEIGHTS_FOLDER,
    find_shipped,
    open_run,
    shipped_names,
)
from mmkp.datasets import PuppetDataset
from mmkp.datasets.coco_writer import write_image
from mmkp.engine.file_kind import is_safetensors

ROOT = Path(__file__).resolve().parents[2]
# Of data that forbid it, none may come along.
FREE = {'Apache-2.0', 'Apache-2.0, trained on data of BSD-3-Clause-Clear'}


def test_there_are_some():
    assert 'puppets-lmdis' in shipped_names()
    assert len(shipped_names()) == len(list(WEIGHTS_FOLDER.iterdir()))


@pytest.mark.parametrize('name', shipped_names())
class TestEach:
    def test_is_small_free_and_described(self, name):
        model = find_shipped(name)
        assert is_safetensors(model.weights) and model.weights.stat().st_size < 2**21
        assert model.license in FREE
        info = model.run.info
        assert info['seed'] == 0 and info['command'].startswith('mmkp train ')
        assert info['about'] in str(model) and info['unit'] and info['source']
        controls = [
            k for k in model.figures if k.endswith(('_untrained', '_mean_pose'))
        ]
        assert controls
        names = list(model.metainfo['keypoint_id2name'].values())
        assert (model.run.keypoint_names or names) == names

    def test_is_in_a_metafile_with_its_figures(self, name):
        model = find_shipped(name)
        weights = model.weights.relative_to(ROOT).as_posix()
        (entry,) = (
            entry
            for path in (ROOT / 'configs').rglob('metafile.yml')
            for entry in yaml.safe_load(path.read_text())['Models']
            if entry.get('Weights') == weights
        )
        (base,) = re.findall(r"'mmkp::(.+)'", model.config.read_text())
        assert entry['Config'] == f'configs/{base}'
        metrics = entry['Results'][0]['Metrics']
        assert metrics == {key: model.figures[key] for key in metrics}
        assert any(key.endswith('_untrained') for key in metrics)
        assert f'mmkp train {entry["Name"]} ' in model.run.info['command']

    def test_predicts_a_picture_file(self, name, tmp_path):
        drawn = PuppetDataset(num_images=1, image_size=128, seed=4).get_data_info(0)
        write_image(tmp_path / 'picture.png', drawn['img'])
        model = find_shipped(name).run.load_model('cpu')
        path = predict_files(model, tmp_path / 'picture.png', tmp_path, draw=False)
        (image,) = json.loads(path.read_text())['images']
        assert image['instances']
        points = np.array(image['instances'][0]['keypoints'], float)
        assert len(points) == len(find_shipped(name).metainfo['keypoint_id2name'])
        assert np.isfinite(points).all() and points.std(axis=0).min() > 3


def test_named_joints_are_found_by_their_names():
    run = open_run('puppets-openpose')
    figures = PuppetDataset(num_images=6, image_size=128, seed=4)
    items = [figures.get_data_info(index) for index in range(6)]
    found = predict_people(run.load_model('cpu'), [item['img'] for item in items])
    joints = np.concatenate([item['keypoints'] for item in items])
    off = np.stack([one['keypoints'][0] for one in found]) - joints
    assert np.median(np.linalg.norm(off, axis=-1)) < 3
    assert run.keypoint_names[0] == 'nose' and [0, 1] in run.info['links']


def test_puppets_reproduce_their_figures():
    model = find_shipped('puppets-lmdis')
    run = open_run('puppets-lmdis')
    dataset = Config(run.config.test_dataloader.dataset.to_dict())
    row = ComparedRun('a', 'a')

    class Smaller(Run):
        """The run, its images to score fewer."""

        @property
        def config(self):
            cfg = super().config
            cfg.test_dataloader.dataset.fit.num_images = 250
            cfg.test_dataloader.dataset.score.num_images = 80
            return cfg

    measure_run(Smaller(run), row, None, shots=(20,))
    assert dataset.score.num_images == 500  # of the figures that are written down
    for name, tolerance in (
        ('forward', 0.15),
        ('forward_mean_pose', 0.6),
        ('forward_20_shot_ridge_median', 0.4),
        ('on_object', 2.0),
    ):
        assert row.figures[name] == pytest.approx(model.figures[name], abs=tolerance)


class TestOpenRun:
    def test_a_folder_goes_first(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert open_run('puppets-lmdis').path == WEIGHTS_FOLDER / 'puppets-lmdis'
        Path('puppets-lmdis').mkdir()
        assert open_run('puppets-lmdis').path == Path('puppets-lmdis')
        run = open_run(Path('puppets-lmdis'))
        assert open_run(run).path == run.path

    def test_nearest_names(self):
        said = "did you mean 'puppets-lmdis'"
        with pytest.raises(FileNotFoundError, match=said):
            open_run('pupets-lmdis')
        with pytest.raises(ValueError, match=said):
            find_shipped('pupets-lmdis')

    def test_config_and_weights_by_hand(self):
        model = find_shipped('puppets-lmdis')
        loaded = load_model(model.config, model.weights, 'cpu')
        assert loaded.dataset_meta['num_keypoints'] == 16


@pytest.mark.parametrize('name', shipped_names())
def test_each_pair_of_sides_is_named_once(name):
    pairs = [tuple(pair) for pair in find_shipped(name).run.info.get('swaps') or ()]
    assert pairs == sorted({(min(pair), max(pair)) for pair in pairs})
