# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A training that is scored as it goes, is not disturbed by it, and stops in time."""

import time

import pytest
import tiny
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmkp.apis import load_model
from mmkp.engine import KeypointScoreHook
from mmkp.engine.checkpoint import load_checkpoint_file

HOOK = "custom_hooks = [dict(type='KeypointScoreHook', num_images=5, {})]\n"


def train(folder, name, options=None):
    """A runner after a training of six steps at most."""
    extra = 'model.update(test_cfg=dict())\n'
    extra += HOOK.format(options) if options else ''
    config = tiny.write_config(folder, f'{name}.py', extra, max_iters=6)
    cfg = Config.fromfile(config)
    cfg.work_dir = str(folder / name)
    cfg.experiment_name = f'{name}_{time.monotonic_ns()}'
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def test_scores_leave_no_trace_in_the_training(tmp_path):
    plain = train(tmp_path, 'plain')
    scored = train(tmp_path, 'scored', 'interval=2, patience=None')
    assert scored.iter == plain.iter == 6
    scalars = scored.message_hub.get_scalar('train/keypoint_score')
    assert len(scalars.data[0]) == 2 and 0 < scalars.current() < 1
    for one, other in zip(
        plain.model.state_dict().values(),
        scored.model.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_a_training_that_stops_keeps_its_best(tmp_path, monkeypatch):
    monkeypatch.undo()  # the config is written as MMEngine writes it
    runner = train(tmp_path, 'stops', 'interval=2, patience=2, min_rise=1.0, keep=3')
    assert runner.iter == 4
    saved = load_checkpoint_file(tmp_path / 'stops' / 'iter_4.pth')['keypoint_score']
    assert saved['waited'] == 2 and 0 < saved['best'] < 1
    folder = tmp_path / 'stops' / 'selected'
    model = load_model(folder / 'stops.py', folder / 'selected.pth', 'cpu')
    assert len(model.test_cfg['output_keypoint_indices']) == 3
    assert model.dataset_meta['num_keypoints'] == 3


def test_how_long_scores_have_not_risen():
    hook = KeypointScoreHook(patience=2, min_rise=0.05)
    settled = [hook._has_settled(score) for score in (0.3, 0.32, 0.4, 0.41, 0.44)]
    assert settled == [False, False, False, False, True]


@pytest.mark.parametrize('name', ['interval', 'patience', 'num_images', 'keep'])
def test_numbers_below_one(name):
    with pytest.raises(ValueError, match=f'{name} must be at least 1, got 0'):
        KeypointScoreHook(**{name: 0})


def test_more_than_there_are(tmp_path):
    with pytest.raises(ValueError, match='keep=9 of KeypointScoreHook, but the model'):
        train(tmp_path, 'many', 'keep=9')
