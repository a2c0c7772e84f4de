"""Models that come with the package: they load, and reproduce their figures."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from mmengine.config import Config

from mmkp.apis import discover, load_model
from mmkp.apis.compared_run import ComparedRun, measure_run
from mmkp.apis.run import Run
from mmkp.apis.shipped_models import (
    WEIGHTS_FOLDER,
    find_shipped,
    open_run,
    shipped_names,
)
from mmkp.datasets import PuppetDataset
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
        assert model.figures['forward'] < model.figures['forward_mean_pose']
        assert model.metainfo['keypoint_info'][0]['name'] == 'keypoint_0'
        assert len(model.metainfo['keypoint_info']) == model.run.config.num_keypoints

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
        assert {'forward', 'forward_mean_pose', 'forward_untrained'} <= set(metrics)
        assert f'mmkp train {entry["Name"]} ' in model.run.info['command']

    def test_loads_and_predicts_everywhere_in_the_picture(self, name):
        run = open_run(name)
        image = PuppetDataset(num_images=1, image_size=96, seed=4).get_data_info(0)
        (found,) = discover(run.load_model('cpu'), [image['img']])
        number = run.config.num_keypoints
        assert found['keypoints'].shape == (1, number, 2)
        assert np.isfinite(found['keypoints']).all()
        assert found['keypoints'].std(axis=1).min() > 3


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
