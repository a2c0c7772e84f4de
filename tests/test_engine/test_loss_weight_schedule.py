"""Loss weights follow their steps, also in a training that was interrupted."""

import time
from types import SimpleNamespace
from unittest import mock

import pytest
import tiny
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmkp.engine.hooks import LossWeightSchedule
from mmkp.models.losses import DiversityLoss

SCHEDULE = """
custom_hooks = [dict(type='LossWeightSchedule', losses=dict(
    equivariance={0: 0.5, 4: 2.0, 9: 7.0}))]
"""


class Weights(Hook):
    """Notes the weight that each iteration is trained with."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.noted = {}

    def before_train_iter(self, runner, *args, **kwargs):
        loss = runner.model.losses['equivariance']
        self.noted[runner.iter] = loss.loss_weight


def train(config, work_dir, **options):
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options)
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = f'{work_dir.name}_{time.monotonic_ns()}'
    runner = Runner.from_cfg(cfg)
    weights = Weights()
    runner.register_hook(weights)
    runner.train()
    return runner, weights.noted


def fake_runner(iteration=0):
    model = nn.Module()
    model.losses = nn.ModuleDict(
        dict(apart=DiversityLoss(loss_weight=3.0), other=nn.MSELoss())
    )
    return SimpleNamespace(model=model, iter=iteration, logger=mock.Mock())


def test_resumed_training_has_the_weights_and_bits_of_an_uninterrupted_one(tmp_path):
    config = tiny.write_config(tmp_path, extra=SCHEDULE, max_iters=11)
    no_validation = dict(val_cfg=None, val_dataloader=None, val_evaluator=None)
    whole, weights = train(config, tmp_path / 'whole', **no_validation)
    assert list(weights.values()) == [0.5] * 4 + [2.0] * 5 + [7.0] * 2
    resumed, later = train(
        config,
        tmp_path / 'resumed',
        resume=True,
        load_from=str(tmp_path / 'whole' / 'iter_6.pth'),
        **no_validation,
    )
    assert later == {i: weights[i] for i in range(6, 11)}
    state, other = whole.model.state_dict(), resumed.model.state_dict()
    assert all(torch.equal(state[key], other[key]) for key in state)


def test_each_change_is_logged_once_and_the_config_holds_before_the_first():
    runner = fake_runner()
    hook = LossWeightSchedule(losses=dict(apart=[(5, 0), (2, 1.5)]))
    hook.before_train(runner)
    found = []
    for runner.iter in range(7):
        hook.before_train_iter(runner, runner.iter)
        found.append(runner.model.losses['apart'].loss_weight)
    assert found == [3, 3, 1.5, 1.5, 1.5, 0, 0]
    messages = [call.args[0] for call in runner.logger.info.call_args_list]
    assert messages == [
        "Weight of loss 'apart': 3 -> 1.5 at iteration 2",
        "Weight of loss 'apart': 1.5 -> 0 at iteration 5",
    ]


def test_weight_changes_the_loss():
    runner = fake_runner(10)
    LossWeightSchedule(losses=dict(apart={0: 6.0})).before_train(runner)
    together = torch.zeros(1, 2, 8, 8)
    together[..., 4, 4] = 1
    assert runner.model.losses['apart'](together).item() == pytest.approx(6)


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('reconstruction', r"'reconstruction'.*only \['apart', 'other'\]"),
        ('other', 'MSELoss has no `loss_weight`'),
    ],
)
def test_unknown_losses_are_refused_before_the_training(name, message):
    hook = LossWeightSchedule(losses={name: {0: 1.0}})
    with pytest.raises(ValueError, match=message):
        hook.before_train(fake_runner())


def test_models_without_losses_are_refused():
    runner = fake_runner()
    runner.model = nn.Linear(1, 1)
    with pytest.raises(ValueError, match='finds no `losses` in Linear'):
        LossWeightSchedule(losses=dict(apart={0: 1.0})).before_train(runner)


@pytest.mark.parametrize(
    ('losses', 'message'),
    [
        ({}, 'has no losses'),
        (dict(apart={}), 'iterations from 0'),
        (dict(apart={-1: 1.0}), 'iterations from 0'),
        (dict(apart=[(1, 1.0), (1, 2.0)]), 'each once'),
        (dict(apart={0: -1.0}), 'must not be negative'),
    ],
)
def test_meaningless_steps_are_refused(losses, message):
    with pytest.raises(ValueError, match=message):
        LossWeightSchedule(losses=losses)
