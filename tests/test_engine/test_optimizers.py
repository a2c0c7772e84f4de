# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Models that are trained by several optimizers, through MMEngine's runner."""

from types import SimpleNamespace

import pytest
import tiny
import torch.nn.functional as F
from mmengine.config import Config, ConfigDict
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from mmpose.registry import MODELS
from tiny_training import assert_same_bits, train
from torch import nn

from mmkp.engine import (
    CheckpointMismatchError,
    ConfigError,
    PartsOptimWrapperConstructor,
    TimedLearningRateHook,
    check_config,
)
from mmkp.engine.mixed_precision import use_mixed_precision
from mmkp.engine.non_finite import remedies
from mmkp.models.unsupervised import AutoLink

OPTIMIZERS = """
model['type'] = 'AdversarialAutoLink'
optim_wrapper = dict(
    constructor='PartsOptimWrapperConstructor',
    painter=dict(
        parts=('backbone', 'head', 'generator'),
        optimizer=dict(type='Adam', lr=1e-3, betas=(0.5, 0.9)),
        clip_grad=dict(max_norm=1.0)),
    critic=dict(optimizer=dict(type='torch.optim.RMSprop', lr=1e-4)))
"""


@MODELS.register_module()
class AdversarialAutoLink(AutoLink):
    """AutoLink whose reconstructions a critic must not tell from images."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.critic = nn.Sequential(
            nn.Conv2d(3, 4, 4, 2), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 4, 2)
        )

    def train_step(self, data, optim_wrapper):
        data = self.data_preprocessor(data, training=True)
        images, samples = data['inputs'], data['data_samples']
        outputs = self.outputs_for_losses(images, samples)
        critic, painter = optim_wrapper['critic'], optim_wrapper['painter']
        with critic.optim_context(self):
            drawn = outputs['reconstruction'].detach()
            wrong = F.softplus(self.critic(drawn)) + F.softplus(-self.critic(images))
        told, logs = self.parse_losses({'loss_critic': wrong.mean()})
        critic.update_params(told)
        # No gradient of the painter's loss may wait in the critic for its next step.
        self.critic.requires_grad_(False)
        with painter.optim_context(self):
            losses = self.losses(outputs)
            found_out = F.softplus(-self.critic(outputs['reconstruction'])).mean()
            losses['loss_adversarial'] = found_out
        total, more = self.parse_losses(losses)
        painter.update_params(total)
        self.critic.requires_grad_(True)
        return {**logs, **more}


def states(runner: Runner) -> dict:
    """Weights and the state of both optimizers."""
    tensors = dict(runner.model.state_dict())
    for name, steps in runner.optim_wrapper.items():
        for number, state in steps.optimizer.state_dict()['state'].items():
            tensors.update(
                {f'{name}.{number}.{key}': value for key, value in state.items()}
            )
    return tensors


def test_both_optimizers_step_their_own_parts_and_resume_to_the_bit(tmp_path):
    config = tiny.write_config(tmp_path, extra=OPTIMIZERS)
    check_config(Config.fromfile(config))
    whole = train(config, tmp_path / 'whole')
    assert isinstance(whole.optim_wrapper, OptimWrapperDict)
    scalars = whole.message_hub.log_scalars
    for name in ('loss_critic', 'loss_adversarial', 'painter.lr', 'critic.lr'):
        assert f'train/{name}' in scalars
    # Both follow the scheduler from their own rate.
    rates = whole.optim_wrapper.get_lr()
    ratio = rates['painter.lr'][0] / rates['critic.lr'][0]
    assert ratio == pytest.approx(10)
    steps = states(whole)
    parts = {key.split('.')[0] for key in steps if key.endswith(('exp_avg', 'avg'))}
    assert parts == {'painter', 'critic'}
    train(config, tmp_path / 'half', **{'train_cfg.max_iters': 6})
    resumed = train(config, tmp_path / 'half', resume=True)
    assert resumed.iter == whole.iter == 14
    assert_same_bits(states(whole), states(resumed))


def test_both_optimizers_work_in_mixed_precision(tmp_path):
    kind = "type='MixedPrecisionOptimWrapper', dtype='bfloat16', "
    mixed = OPTIMIZERS.replace('critic=dict(', f'critic=dict({kind}')
    mixed = mixed.replace('painter=dict(', f'painter=dict({kind}')
    options = {'train_cfg.max_iters': 2}
    config = tiny.write_config(tmp_path, extra=OPTIMIZERS)
    plain = train(config, tmp_path / 'plain', **options)
    config = tiny.write_config(tmp_path, 'mixed.py', extra=mixed)
    rounded = train(config, tmp_path / 'mixed', **options)
    for name in ('loss_critic', 'loss_adversarial'):
        exact, found = (
            runner.message_hub.log_scalars[f'train/{name}'].current()
            for runner in (plain, rounded)
        )
        assert exact != found
        assert found == pytest.approx(exact, rel=0.02)


def test_a_checkpoint_of_other_optimizers_is_not_resumed(tmp_path):
    config = tiny.write_config(tmp_path, extra=OPTIMIZERS)
    train(config, tmp_path / 'work', **{'train_cfg.max_iters': 4})
    renamed = OPTIMIZERS.replace('    painter=', '    artist=')
    other = tiny.write_config(tmp_path, 'other.py', extra=renamed)
    with pytest.raises(CheckpointMismatchError, match=r"optimizers \['artist'\]"):
        train(other, tmp_path / 'work', resume=True)


def test_one_sum_of_losses_needs_one_optimizer(tmp_path):
    plain = OPTIMIZERS.replace("model['type'] = 'AdversarialAutoLink'", '')
    plain = plain.replace("'backbone', 'head', 'generator'", "'backbone', 'generator'")
    plain = plain.replace('critic=dict(', 'head=dict(')
    config = tiny.write_config(tmp_path, extra=plain)
    with pytest.raises(ValueError, match=r"optimizers \['painter', 'head'\]"):
        train(config, tmp_path / 'work')


SGD = dict(type='SGD', lr=0.1)


@pytest.mark.parametrize(
    ('configs', 'message'),
    [
        (dict(a=dict(optimizer=SGD)), r"no optimizer trains \['b'\]"),
        (dict(c=dict(optimizer=SGD)), r"trains 'c', which .* its parts are \['a', 'b'"),
        (
            dict(a=dict(optimizer=SGD), b=dict(parts=('a', 'b'), optimizer=SGD)),
            'train the same parameters',
        ),
        (dict(a=SGD), r'optim_wrapper\.a must be the config of an optimizer wrapper'),
    ],
)
def test_parts_that_do_not_add_up_are_refused(configs, message):
    model = nn.ModuleDict({'a': nn.Linear(2, 2), 'b': nn.Linear(2, 2)})
    with pytest.raises(ValueError, match=message):
        PartsOptimWrapperConstructor(configs)(model)
    with pytest.raises(ValueError, match=r'put it into .* optim_wrapper\.a'):
        PartsOptimWrapperConstructor({'a': dict(optimizer=SGD)}, {'norm_decay_mult': 0})


def test_frozen_parameters_need_no_optimizer():
    model = nn.ModuleDict({'a': nn.Linear(2, 2), 'b': nn.Linear(2, 2)})
    model['b'].requires_grad_(False)
    steps = PartsOptimWrapperConstructor(
        {'first': dict(parts=['a'], optimizer=SGD, paramwise_cfg=dict(bias_lr_mult=2))}
    )(model)
    assert steps.get_lr()['first.lr'] == [0.1, 0.2]


def test_typing_errors_in_several_optimizers_are_found(tmp_path):
    cfg = Config.fromfile(tiny.write_config(tmp_path, extra=OPTIMIZERS))
    cfg.optim_wrapper.critic.clip_grd = dict(max_norm=1.0)
    with pytest.raises(ConfigError, match="'clip_grd' in 'optim_wrapper.critic'"):
        check_config(cfg)
    del cfg.optim_wrapper.critic['clip_grd']
    cfg.optim_wrapper.critic.optimizer.type = 'torch.optim.RMSProp'
    with pytest.raises(ConfigError, match="unknown type 'torch.optim.RMSProp'"):
        check_config(cfg)


def two_optimizers() -> OptimWrapperDict:
    model = nn.ModuleDict({'a': nn.Linear(2, 2), 'b': nn.Linear(2, 2)})
    return PartsOptimWrapperConstructor(
        {
            'a': dict(optimizer=SGD, clip_grad=dict(max_norm=3.0)),
            'b': dict(optimizer=SGD),
        }
    )(model)


def test_what_is_said_of_one_optimizer_is_said_of_several():
    runner = SimpleNamespace(optim_wrapper=two_optimizers())
    told = remedies(runner)
    for part in (
        'lower optim_wrapper.a.optimizer.lr (the rate is now 0.1)',
        'lower optim_wrapper.a.clip_grad.max_norm, now 3',
        'set optim_wrapper.b.clip_grad',
    ):
        assert part in told
    hook = TimedLearningRateHook(1e9, warm_up=0.0, hold=0.5, end_ratio=0.2)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    assert runner.optim_wrapper['b'].param_groups[0]['initial_lr'] == 0.1

    cfg = ConfigDict(optim_wrapper=dict(constructor='X', a=dict(optimizer=SGD)))
    use_mixed_precision(cfg, 'bfloat16')
    assert cfg.optim_wrapper.a.type == 'MixedPrecisionOptimWrapper'
    assert 'type' not in cfg.optim_wrapper
