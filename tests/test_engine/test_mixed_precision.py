# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Trainings in mixed precision, on this machine's CPU."""

import pytest
import tiny
import torch
from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tiny_training import assert_same_bits, final_tensors, train

from mmkp.cli.train import parse_args
from mmkp.engine import (
    ConfigError,
    MixedPrecisionOptimWrapper,
    NonFiniteError,
    mixed_precision,
)
from mmkp.engine.mixed_precision import use_mixed_precision
from mmkp.models.heads import SoftArgmaxHead

# So large that the gradients overflow until it has been halved a few times.
OVERFLOWS = """
model['losses']['equivariance']['loss_weight'] = 20.0
optim_wrapper.update(
    type='MixedPrecisionOptimWrapper', dtype='bfloat16', clip_grad=dict(max_norm=5.0),
    loss_scale=dict(init_scale=2.0**126, growth_interval=4))
"""


@pytest.fixture(autouse=True)
def cpu(monkeypatch):
    monkeypatch.setattr(mixed_precision, 'get_device', lambda: 'cpu')


def product_dtype() -> torch.dtype:
    """What autocast makes of a product."""
    return (torch.zeros(1, 1) @ torch.zeros(1, 1)).dtype


def test_amp_trains_in_bfloat16_and_validates_in_float32(tmp_path, monkeypatch):
    seen: dict[str, set[torch.dtype]] = {'locate': set(), 'predict': set()}
    originals = {name: getattr(SoftArgmaxHead, name) for name in seen}
    for name in seen:

        def spy(self, *args, _name=name, **kwargs):
            seen[_name].add(product_dtype())
            return originals[_name](self, *args, **kwargs)

        monkeypatch.setattr(SoftArgmaxHead, name, spy)
    config = tiny.write_config(tmp_path, max_iters=4)
    plain = train(config, tmp_path / 'plain')
    assert seen['locate'] == {torch.float32}
    cfg = Config.fromfile(config)
    use_mixed_precision(cfg)
    mixed = train(config, tmp_path / 'mixed', optim_wrapper=cfg.optim_wrapper)
    assert torch.bfloat16 in seen['locate']
    assert seen['predict'] == {torch.float32}
    assert isinstance(mixed.optim_wrapper, MixedPrecisionOptimWrapper)
    parameters = list(mixed.model.parameters())
    assert {p.dtype for p in parameters} == {torch.float32}
    exact, found = (
        runner.message_hub.log_scalars['train/loss'].data[0][0]
        for runner in (plain, mixed)
    )
    assert found != exact
    assert found == pytest.approx(exact, rel=0.01)


def test_float32_is_the_training_without_it(tmp_path):
    config = tiny.write_config(tmp_path, max_iters=2)
    plain = train(config, tmp_path / 'plain')
    changed = dict(type='MixedPrecisionOptimWrapper', dtype='float32')
    cfg = Config.fromfile(config)
    wrapper = {**cfg.optim_wrapper, **changed}
    same = train(config, tmp_path / 'same', optim_wrapper=wrapper)
    assert_same_bits(final_tensors(plain), final_tensors(same))


class Losses(Hook):
    """Notes weights and the scale after each step; spoils a loss."""

    priority = 'HIGHEST'

    def __init__(self, nan_at=None):
        self.weights, self.scales, self.nan_at = [], [], nan_at

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.weights.append(next(runner.model.parameters()).detach().clone())
        self.scales.append(runner.optim_wrapper.loss_scaler.get_scale())
        if runner.iter + 1 == self.nan_at:
            outputs['loss_equivariance'] = torch.tensor(torch.nan)


def watched(monkeypatch, **options) -> Losses:
    """A hook in each runner that is built from now on."""
    hook, original = Losses(**options), Runner.train

    def with_hook(self):
        self.register_hook(hook)
        return original(self)

    monkeypatch.setattr(Runner, 'train', with_hook)
    return hook


def test_overflows_are_left_out_and_the_scale_is_resumed(tmp_path, monkeypatch):
    config = tiny.write_config(tmp_path, extra=OVERFLOWS)
    hook = watched(monkeypatch)
    whole = train(config, tmp_path / 'whole')
    halved = sum(b < a for a, b in zip(hook.scales, hook.scales[1:], strict=False))
    assert halved > 2
    # A step is left out where its gradients overflowed, and none later on.
    assert torch.equal(hook.weights[0], hook.weights[1])
    assert not torch.equal(hook.weights[-1], hook.weights[-2])
    norms = whole.message_hub.log_scalars['train/grad_norm'].data[0]
    assert norms[0] == torch.inf or norms[0] != norms[0]
    train(config, tmp_path / 'half', **{'train_cfg.max_iters': 6})
    resumed = train(config, tmp_path / 'half', resume=True)
    assert_same_bits(final_tensors(whole), final_tensors(resumed))
    states = [r.optim_wrapper.state_dict()['loss_scaler'] for r in (whole, resumed)]
    assert states[0] == states[1]
    assert states[0]['scale'] < 2.0**126


def test_a_loss_that_is_nan_stops_it_with_a_scale_too(tmp_path, monkeypatch):
    config = tiny.write_config(tmp_path, extra=OVERFLOWS)
    watched(monkeypatch, nan_at=3)
    with pytest.raises(NonFiniteError, match='step 3: loss_equivariance is nan'):
        train(config, tmp_path / 'work')


def wrapper(**options) -> MixedPrecisionOptimWrapper:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], 0.1)
    return MixedPrecisionOptimWrapper(optimizer=optimizer, **options)


def test_states_with_and_without_a_scale_go_together():
    scaled = wrapper(loss_scale=8.0)
    assert scaled.loss_scaler.get_scale() == 8.0
    plain = wrapper()
    assert not plain.loss_scaler.is_enabled()
    scaled.load_state_dict(plain.state_dict())
    plain.load_state_dict(scaled.state_dict())
    without = plain.state_dict()
    del without['loss_scaler']
    scaled.load_state_dict(without)
    assert scaled.loss_scaler.get_scale() == 8.0


def test_what_cannot_be_is_refused():
    with pytest.raises(ConfigError, match="dtype is 'half', must be one of"):
        wrapper(dtype='half')
    with pytest.raises(ConfigError, match='float16 needs a GPU'):
        wrapper(dtype='float16')
    cfg = ConfigDict(optim_wrapper=dict(type='Other', optimizer=dict(type='SGD')))
    with pytest.raises(ConfigError, match='replaces OptimWrapper, but .* has Other'):
        use_mixed_precision(cfg)


@pytest.mark.parametrize(
    ('device', 'given', 'expected'),
    [('cpu', None, 'bfloat16'), ('cuda', None, 'float16')]
    + [('cuda', 'bfloat16', 'bfloat16'), ('cpu', 'bfloat16', 'bfloat16')],
)
def test_dtype_follows_from_the_device(monkeypatch, device, given, expected):
    monkeypatch.setattr(mixed_precision, 'get_device', lambda: device)
    cfg = ConfigDict(optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)))
    use_mixed_precision(cfg, given)
    assert cfg.optim_wrapper.dtype == expected


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['--amp', 'a.py'], 'auto'),
        (['a.py', '--amp', 'x.y=1'], 'auto'),
        (['a.py', '--amp'], 'auto'),
        (['a.py', '--amp', 'float16', 'x.y=1'], 'float16'),
        (['--amp=bfloat16', 'a.py'], 'bfloat16'),
        (['a.py'], None),
    ],
)
def test_amp_takes_no_other_word_for_its_value(words, expected):
    args = parse_args(words)
    assert (args.amp, args.config) == (expected, 'a.py')
    assert args.cfg_options == ({'x.y': '1'} if 'x.y=1' in words else None)
