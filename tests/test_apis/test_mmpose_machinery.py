"""MMPose's scripts, inferencers, visualizer and MMEngine's hooks on our models."""

import itertools
import json
import re
import runpy
import sys
from pathlib import Path
from unittest import mock

import cv2
import mmpose
import numpy as np
import pytest
import tiny
import tiny_hourglass
import tiny_people
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseTTAModel
from mmengine.registry import MODELS as ENGINE_MODELS
from mmengine.runner import Runner
from mmpose.apis import (
    MMPoseInferencer,
    inference_bottomup,
    inference_topdown,
    init_model,
)
from mmpose.registry import VISUALIZERS

from mmkp.apis import load_model, predict_topdown

TOOLS = Path(mmpose.__file__).parent / '.mim/tools'
MADE = dict(
    discovery=tiny.trained, people=tiny_people.made, hourglass=tiny_hourglass.trained
)
_names = itertools.count()


def run_script(name, *arguments):
    """Run a script that MMPose's package carries, as `mim run mmpose` does."""
    with mock.patch.object(sys, 'argv', [name, *map(str, arguments)]):
        runpy.run_path(str(TOOLS / name), run_name='__main__')


def unique():
    """Names of singletons of MMEngine, which otherwise come from the second."""
    name = f'machinery_{next(_names)}'
    return '--cfg-options', f'experiment_name={name}', f'visualizer.name={name}'


@pytest.fixture
def images():
    return sorted((tiny.trained()[0].parent / 'images').glob('*.png'))


class TestScripts:
    def test_train_then_test(self, tmp_path):
        config = tiny.write_config(tmp_path, max_iters=4)
        run_script('train.py', config, '--work-dir', tmp_path / 'theirs', *unique())
        tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'ours')
        states = [
            load_model(config, tmp_path / name / 'iter_4.pth', 'cpu').state_dict()
            for name in ('theirs', 'ours')
        ]
        assert all(
            torch.equal(value, states[1][key]) for key, value in states[0].items()
        )
        run_script(
            'test.py', config, tmp_path / 'ours/iter_4.pth', '--out',
            tmp_path / 'scores.json', '--work-dir', tmp_path / 'tested', *unique(),
        )  # fmt: skip
        scores = json.loads((tmp_path / 'scores.json').read_text())
        assert 0 < scores['tiny/spread'] < 48

    @pytest.mark.parametrize('kind', MADE)
    @pytest.mark.parametrize('phase', ['train', 'val'])
    def test_browse_dataset(self, kind, phase, tmp_path):
        run_script(
            'misc/browse_dataset.py', MADE[kind]()[0], '--not-show', '--output-dir',
            tmp_path, '--phase', phase, *unique(),
        )  # fmt: skip
        drawn = [cv2.imread(str(path)) for path in tmp_path.iterdir()]
        assert len(drawn) >= 2
        # A training's targets are drawn below the image.
        ratio = 2 if phase == 'train' and kind != 'discovery' else 1
        assert all(d.shape[0] % (32 * ratio) == 0 and d.std() > 1 for d in drawn)

    @pytest.mark.parametrize('kind', MADE)
    def test_get_flops(self, kind, capsys):
        config, checkpoint = MADE[kind]()
        run_script('analysis_tools/get_flops.py', config, '--input-shape', 64, 64)
        told = capsys.readouterr().out
        model = load_model(config, checkpoint, 'cpu')
        number = sum(p.numel() for p in model.parameters())
        amount, unit = re.search(r'Params: ([\d.]+)([KM]?)', told).groups()
        counted = float(amount) * dict(K=1e3, M=1e6).get(unit, 1)
        assert counted == pytest.approx(number, rel=5e-3)
        counts = re.search(r'Flops: [1-9][\d.]*[KMG]?', told) is not None
        assert counts == (kind != 'people')  # it has no convolution

    @pytest.mark.parametrize('kind', MADE)
    def test_print_config(self, kind, capsys):
        config = MADE[kind]()[0]
        run_script('analysis_tools/print_config.py', config)
        text = capsys.readouterr().out.partition('Config:\n')[2]
        assert text.strip()


@pytest.fixture(scope='module')
def inferencer():
    config, checkpoint = tiny.trained()
    return MMPoseInferencer(
        pose2d=str(config),
        pose2d_weights=str(checkpoint),
        det_model='whole_image',
        device='cpu',
    )


class TestInferencers:
    def test_a_list_of_paths_and_arrays(self, inferencer, images):
        inputs = [str(images[0]), cv2.imread(str(images[1])), str(images[2])]
        model = load_model(*tiny.trained(), device='cpu')
        expected = predict_topdown(model, images[:3])
        results = list(inferencer(inputs, batch_size=2))
        assert len(results) == 3
        for result, found in zip(results, expected, strict=True):
            [[instance]] = result['predictions']
            np.testing.assert_allclose(
                instance['keypoints'], found['keypoints'][0], atol=1e-3
            )

    def test_folders_of_pictures_and_of_predictions(self, inferencer, images, tmp_path):
        options = dict(radius=2, thickness=1, kpt_thr=0.0, draw_bbox=True)
        results = list(
            inferencer(
                str(images[0].parent),
                vis_out_dir=str(tmp_path / 'pictures'),
                pred_out_dir=str(tmp_path / 'predictions'),
                return_vis=True,
                **options,
            )
        )
        names = [path.stem for path in images]
        for folder in ('pictures', 'predictions'):
            assert sorted(p.stem for p in (tmp_path / folder).iterdir()) == names
        for path, result in zip(images, results, strict=True):
            [written] = json.loads(
                (tmp_path / f'predictions/{path.stem}.json').read_text()
            )
            [[instance]] = result['predictions']
            assert written.keys() == instance.keys()
            assert written['keypoints'] == instance['keypoints']
            [picture] = result['visualization']
            assert picture.shape == (48, 48, 3)
            assert (picture[..., ::-1] != cv2.imread(str(path))).any()

    def test_data_samples(self, inferencer, images):
        result = next(inferencer(str(images[0]), return_datasamples=True))
        [sample] = result['predictions']
        assert sample.pred_instances.keypoints.shape == (1, 4, 2)


@ENGINE_MODELS.register_module(name='TestMeanOfViews')
class MeanOfViews(BaseTTAModel):
    """Test-time augmentation of MMEngine: the mean over views, in the image."""

    def merge_preds(self, data_samples_list):
        merged = []
        for views in data_samples_list:
            sample = views[0].clone()
            points = [view.pred_instances.keypoints for view in views]
            sample.pred_instances.keypoints = np.mean(points, axis=0)
            merged.append(sample)
        return merged


class TestTestTimeAugmentation:
    """MMPose has ``flip_test`` in its heads, MMEngine a model around models."""

    def test_flip_test_of_a_topdown_model(self):
        config, checkpoint = tiny_hourglass.trained()
        images, points = tiny_hourglass.puppets()
        errors = []
        for flips in (False, True):
            settings = dict(flip_test=flips, shift_heatmap=False)
            model = init_model(
                str(config),
                str(checkpoint),
                device='cpu',
                cfg_options=dict(model=dict(test_cfg=settings)),
            )
            found = [inference_topdown(model, image)[0] for image in images]
            assert found[0].pred_instances.keypoints.shape == (1, 17, 2)
            errors.append(
                np.abs(
                    [f.pred_instances.keypoints[0] for f in found] - np.array(points)
                )
            )
        assert not np.array_equal(*errors)
        # It has never seen a mirror image, and is taught two pictures only.
        assert np.median(errors[0]) < 5 and np.median(errors[1]) < 12

    def test_views_of_other_scales_around_a_discovery_model(self, tmp_path):
        scales = [dict(type='GetBBoxCenterScale', padding=p) for p in (1.0, 1.2)]
        extra = f"""
tta_model = dict(type='mmengine.TestMeanOfViews')
tta_pipeline = [
    pipeline[0],
    dict(type='TestTimeAug', transforms=[{scales}, [pipeline[2]], [pipeline[3]]])]
"""
        config = Config.fromfile(tiny.write_config(tmp_path, extra=extra))
        model = load_model(*tiny.trained(), device='cpu')
        wrapped = MeanOfViews(model)
        pipelines = [
            [*config.pipeline[:1], scale, *config.pipeline[2:]] for scale in scales
        ]
        path = tmp_path / 'images/000.png'
        info = dict(img_path=str(path), bbox=np.array([[0, 0, 48, 48]], np.float32))
        info['bbox_score'] = np.ones(1, np.float32)
        views = [pseudo_collate([Compose(p)(dict(info))]) for p in pipelines]
        separate = [model.test_step(view)[0].pred_instances.keypoints for view in views]
        together = Compose(config.tta_pipeline)(dict(info))
        data = {key: [[value] for value in values] for key, values in together.items()}
        [merged] = wrapped.test_step(data)
        np.testing.assert_allclose(
            merged.pred_instances.keypoints, np.mean(separate, axis=0), atol=1e-4
        )
        assert np.abs(separate[0] - separate[1]).max() > 1e-3


class TestRunner:
    def test_averaged_weights_by_hook(self, tmp_path):
        extra = "custom_hooks = [dict(type='EMAHook', momentum=0.5)]\n"
        config = Config.fromfile(tiny.write_config(tmp_path, extra=extra, max_iters=4))
        config.work_dir = str(tmp_path / 'work')
        config.experiment_name = config.visualizer.name = f'machinery_{next(_names)}'
        runner = Runner.from_cfg(config)
        runner.train()
        saved = torch.load(tmp_path / 'work/iter_4.pth', weights_only=False)
        averaged = saved['state_dict']
        last = {
            name.removeprefix('module.'): value
            for name, value in saved['ema_state_dict'].items()
        }
        # In a checkpoint the two have changed places: what is tested comes first.
        key = 'backbone.blocks.0.conv1.weight'
        assert key in last and not torch.equal(averaged[key], last[key])


@pytest.mark.parametrize('kind', MADE)
def test_visualizer(kind, tmp_path):
    config, checkpoint = MADE[kind]()
    model = init_model(str(config), str(checkpoint), device='cpu')
    infer = inference_bottomup if kind == 'people' else inference_topdown
    path = sorted((config.parent / 'images').glob('*.png'))[0]
    [sample] = infer(model, str(path))
    settings = dict(model.cfg.visualizer, name=f'machinery_{next(_names)}')
    visualizer = VISUALIZERS.build(settings)
    visualizer.set_dataset_meta(model.dataset_meta)
    image = cv2.imread(str(path))[..., ::-1]
    out = tmp_path / 'drawn.png'
    visualizer.add_datasample(
        'drawn', image, sample, draw_gt=False, kpt_thr=0, show_kpt_idx=True,
        out_file=str(out),
    )  # fmt: skip
    drawn = cv2.imread(str(out))
    assert drawn.shape == image.shape
    assert (drawn != image[..., ::-1]).any()
