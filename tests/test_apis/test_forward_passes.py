"""How often the detector runs: once a batch, twice where figures are made."""

import cv2
import pytest
import tiny
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model

from mmkp.apis import load_model, predict_files, predict_topdown
from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator

CONTROL = "model['test_cfg']['untrained_control'] = True\n"


@pytest.fixture(scope='module')
def config():
    path = tiny.trained()[0]
    return tiny.write_config(path.parent, 'with_control.py', CONTROL)


@pytest.fixture
def passes(monkeypatch):
    """Sizes of the batches that a detector, trained or not, has seen."""
    seen = []
    original = UnsupervisedPoseEstimator.extract_feat

    def counted(self, inputs):
        seen.append(len(inputs))
        return original(self, inputs)

    monkeypatch.setattr(UnsupervisedPoseEstimator, 'extract_feat', counted)
    return seen


@pytest.fixture(scope='module')
def images():
    return sorted((tiny.trained()[0].parent / 'images').glob('*.png'))


def test_one_pass_a_batch_in_functions_that_predict(config, passes, images, capfd):
    checkpoint = tiny.trained()[1]
    model = load_model(config, checkpoint, device='cpu')
    predict_topdown(model, images[:5], batch_size=2)
    assert passes == [2, 2, 1]
    passes.clear()
    inference_topdown(init_model(str(config), str(checkpoint), 'cpu'), str(images[0]))
    inferencer = MMPoseInferencer(
        str(config), str(checkpoint), det_model='whole_image', device='cpu'
    )
    next(inferencer(str(images[0])))
    assert passes == [1, 1]
    assert 'initialized' not in ''.join(capfd.readouterr()).lower()


def test_one_pass_a_batch_in_the_tool_and_for_films(config, passes, images, tmp_path):
    checkpoint = tiny.trained()[1]
    tiny.call_tool(
        'infer.py', config, checkpoint, images[0].parent, '--out', tmp_path / 'out'
    )
    assert passes == [11]
    passes.clear()
    film = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*'MJPG'), 12, (48, 48))
    for path in images[:5]:
        writer.write(cv2.imread(str(path)))
    writer.release()
    model = load_model(config, checkpoint, device='cpu')
    predict_files(model, film, tmp_path / 'film', batch_size=3)
    assert passes == [3, 2]


def test_two_passes_a_batch_in_validation_and_test(config, passes, tmp_path):
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(
        {
            'work_dir': str(tmp_path),
            'load_from': str(tiny.trained()[1]),
            'experiment_name': 'passes',
            'visualizer.name': 'passes',
            'default_hooks.discovery.enable': False,
        }
    )
    cfg.default_hooks.checkpoint = None
    runner = Runner.from_cfg(cfg)
    for loop in (runner.test, runner.val):
        loop()
        assert passes == [size for size in (2, 2, 2, 2, 2, 1) for _ in range(2)]
        passes.clear()
        assert not runner.model.with_untrained_control
