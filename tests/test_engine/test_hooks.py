"""The hooks that draw, tell progress and end a training in time."""

import random
import time
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import pytest
import tiny
import torch
from mmengine.config import Config
from mmengine.runner import IterBasedTrainLoop, Runner

from mmkp.apis import load_model
from mmkp.engine import (
    DiscoveryVisualizationHook,
    JudgedModelHook,
    ProgressHook,
    TimeLimitHook,
)
from mmkp.engine.random_state import get_random_state


class Pictures:
    """Stands for a visualizer."""

    def __init__(self):
        self.drawn = {}

    def add_image(self, name, image, step):
        self.drawn[name, step] = image


@pytest.fixture
def runner(tmp_path):
    config, checkpoint = tiny.trained()
    cfg = Config.fromfile(config)
    from mmpose.registry import DATASETS

    return SimpleNamespace(
        model=load_model(config, checkpoint, 'cpu'),
        val_dataloader=SimpleNamespace(dataset=DATASETS.build(cfg.dataset)),
        visualizer=Pictures(),
        logger=mock.Mock(),
        log_dir=str(tmp_path),
        iter=7,
    )


def test_pictures_are_repeatable_and_leave_the_random_state_alone(runner, tmp_path):
    hook = DiscoveryVisualizationHook(num_samples=3, out_dir=str(tmp_path))
    runner.model.train()
    before = get_random_state()
    hook.after_val_epoch(runner)
    after = get_random_state()
    assert random.getstate() == before['python']
    assert torch.equal(after['torch'], before['torch'])
    assert np.array_equal(after['numpy'][1], before['numpy'][1])
    assert runner.model.training
    runner.iter = 8
    hook.after_val_epoch(runner)
    drawn = runner.visualizer.drawn
    assert drawn.keys() == {
        (n, i) for n in ('discovery', 'edge_weights') for i in (7, 8)
    }
    rows = slice(60, None)  # without the headline, which tells the iteration
    assert np.array_equal(drawn['discovery', 7][rows], drawn['discovery', 8][rows])
    written = cv2.imread(str(tmp_path / 'discovery_7.png'))[..., ::-1]
    assert np.array_equal(written, drawn['discovery', 7])


def test_model_without_a_generator(runner):
    runner.model.generator = None
    DiscoveryVisualizationHook(num_samples=2).after_val_epoch(runner)
    assert list(runner.visualizer.drawn) == [('discovery', 7)]


def test_other_models_are_left_alone(runner):
    runner.model = torch.nn.Linear(1, 1)
    DiscoveryVisualizationHook().after_val_epoch(runner)
    assert not runner.visualizer.drawn


def test_samples_are_spread_over_the_set_to_score():
    from mmkp.visualization.model_pictures import spread_indices

    assert spread_indices(range(10), 4) == [0, 3, 6, 9]
    assert spread_indices(range(2), 4) == [0, 1]
    two = mock.MagicMock(lens=[100, 11])
    two.__len__.return_value = 111
    assert spread_indices(two, 3) == [100, 105, 110]
    with pytest.raises(ValueError, match='num_samples must be at least 1'):
        DiscoveryVisualizationHook(num_samples=0)


def test_time_limit_ends_with_a_checkpoint_and_a_validation(tmp_path, capsys):
    config = tiny.write_config(tmp_path, max_iters=10**6)
    cfg = Config.fromfile(config)
    cfg.work_dir = str(tmp_path / 'work')
    cfg.experiment_name = cfg.visualizer.name = 'time_limit'
    runner = Runner.from_cfg(cfg)
    runner.register_hook(TimeLimitHook(seconds=0.6))
    runner.register_hook(ProgressHook(seconds=0.6, pause=0.05))
    runner.train()
    last = runner.iter
    assert 0 < last < 10**5 and runner.max_iters == last
    assert (tmp_path / 'work' / f'iter_{last}.pth').is_file()
    assert list(tmp_path.rglob(f'discovery_{last}.png'))
    lines = capsys.readouterr().err.splitlines()
    told = [line for line in lines if 'training' in line]
    assert 'training 100%' in told[-1] and f'iteration {last}' in told[-1]
    assert 'loss' in told[0]


def test_time_limit_needs_iterations_and_time():
    with pytest.raises(ValueError, match='seconds must be positive, got 0'):
        TimeLimitHook(0)
    with pytest.raises(TypeError, match='iteration-based'):
        TimeLimitHook(1).before_train(SimpleNamespace(train_loop=None))


def test_resumed_training_has_the_time_that_was_left():
    checkpoint = {}
    hooks = [TimeLimitHook(5), ProgressHook()]
    for hook in hooks:
        hook._start = time.monotonic() - 3
        hook.before_save_checkpoint(None, checkpoint)
    loop = mock.Mock(spec=IterBasedTrainLoop)
    runner = SimpleNamespace(train_loop=loop, _resume=True, iter=7, max_iters=9)
    for hook in (TimeLimitHook(5), TimeLimitHook(2), ProgressHook()):
        hook.after_load_checkpoint(runner, checkpoint)
        loop._max_iters = 9
        hook.before_train(runner)
        assert time.monotonic() - hook._start == pytest.approx(3, abs=0.5)
        assert loop._max_iters == (7 if getattr(hook, 'seconds', 0) == 2 else 9)


def test_metrics_that_ask_for_the_model_are_given_it():
    asks, asks_not = SimpleNamespace(judged_model=None), SimpleNamespace()
    model = torch.nn.Linear(1, 1)
    evaluator = SimpleNamespace(metrics=[asks, asks_not])
    runner = SimpleNamespace(
        model=model, val_evaluator=evaluator, test_evaluator=evaluator
    )
    for give in ('before_val_epoch', 'before_test_epoch'):
        asks.judged_model = None
        getattr(JudgedModelHook(), give)(runner)
        assert asks.judged_model is model and not hasattr(asks_not, 'judged_model')


def test_checkpoints_tell_the_cpu_seconds_of_all_runs_of_a_training(monkeypatch):
    from mmkp.engine.hooks.training_clock import CPU_KEY, TrainingClock

    now = [100.0]
    monkeypatch.setattr('time.process_time', lambda: now[0])
    kept: dict = {}
    for used, total in ((7.0, 7.0), (5.0, 12.0)):
        clock = TrainingClock('wall')
        clock.after_load_checkpoint(SimpleNamespace(_resume=True), kept)
        clock.before_train(None)
        now[0] += used
        clock.before_save_checkpoint(None, kept)
        assert kept[CPU_KEY] == pytest.approx(total)
        now[0] += 50  # between the runs
    fresh = TrainingClock('cpu')
    fresh.after_load_checkpoint(SimpleNamespace(_resume=False), kept)
    fresh.before_train(None)
    fresh.before_save_checkpoint(None, kept)
    assert kept[CPU_KEY] == 0
