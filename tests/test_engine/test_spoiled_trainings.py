# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Whatever becomes NaN in a training without validation ends it, and is not saved."""

import pytest
import tiny
import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmpose.registry import HOOKS, MODELS, OPTIM_WRAPPERS
from test_optimizers import OPTIMIZERS, AdversarialAutoLink  # noqa: F401
from tiny_training import assert_same_bits, final_tensors, train
from torch import nn

from mmkp.engine import find_resumable_checkpoint, load_checkpoint_file

NAN, INF = float('nan'), float('inf')
CHECKPOINTS = """
default_hooks['checkpoint'].update(interval=2, max_keep_ckpts=2)
"""


@MODELS.register_module()
class SpoiledLoss(nn.Module):
    """A loss that is no number in one step, or whose gradient is none.

    Args:
        value: what it becomes.
        step: in which step, from 1.
        until: the last of such steps.
        of_gradient: whether the gradient becomes so instead of the loss.
    """

    inputs = ('keypoints',)

    def __init__(self, value, step, until=0, of_gradient=False):
        super().__init__()
        self.value, self.of_gradient = value, of_gradient
        self.steps = range(step, max(step, until) + 1)
        self.calls = 0

    def forward(self, keypoints):
        self.calls += self.training
        loss = keypoints.mean() * 1e-3
        if self.calls in self.steps and self.training:
            if self.of_gradient:
                loss.register_hook(lambda gradient: gradient * float(self.value))
            else:
                loss = loss + float(self.value)
        return loss


@HOOKS.register_module()
class SpoilBuffer(Hook):
    """Makes a buffer not finite after a step, whatever the losses are."""

    priority = 'HIGHEST'

    def __init__(self, name, step, value='nan'):
        self.name, self.step, self.value = name, step, float(value)

    def before_train(self, runner):
        runner.model.register_buffer('spare', torch.full((2,), -INF))

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter + 1 == self.step:
            buffers = dict(runner.model.named_buffers())
            name = next(name for name in buffers if name.endswith(self.name))
            buffers[name].view(-1)[0] = self.value


@HOOKS.register_module()
class SpoilState(Hook):
    """Makes the second moments of the optimizer infinite, as huge gradients do."""

    priority = 'HIGHEST'

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter + 1 == 5:
            states = runner.optim_wrapper.optimizer.state.values()
            next(iter(states))['exp_avg_sq'].fill_(INF)


def loss(value, of_gradient=False, until=0):
    return (
        f"model['losses']['spoiled'] = dict(type='SpoiledLoss', value='{value}', "
        f'step=5, until={until}, of_gradient={of_gradient})\n'
    )


def hook(text):
    return f'custom_hooks = [dict({text})]\n'


CLIPPED = "optim_wrapper['clip_grad'] = dict(max_norm=1.0)\n"
ACCUMULATED = "optim_wrapper['accumulative_counts'] = 2\n"
# The one whose gradients are spoiled does not tell their norm, the other one does.
TWO = OPTIMIZERS.replace(',\n        clip_grad=dict(max_norm=1.0)', '')
TWO = TWO.replace('lr=1e-4)', 'lr=1e-4), clip_grad=dict(max_norm=1.0)')
KINDS = {
    'nan loss': (loss('nan'), 'step 5: loss is nan, loss_spoiled is nan'),
    'inf loss': (loss('inf'), 'step 5: loss is inf, loss_spoiled is inf'),
    'nan gradient': (loss('nan', True), 'step 5: the losses are finite, but the we'),
    'clipped nan gradient': (
        CLIPPED + loss('nan', True),
        'step 5: the norm of the gradients is nan',
    ),
    'inf gradient': (loss('inf', True), 'step 5: the losses are finite, but the we'),
    'accumulated nan loss': (
        ACCUMULATED + loss('nan'),
        'step 5: loss is nan, loss_spoiled is nan',
    ),
    'accumulated nan gradient': (ACCUMULATED + loss('nan', True), 'step 6: the losse'),
    'running mean': (
        hook("type='SpoilBuffer', name='running_mean', step=5"),
        'step 5: the losses are finite, but the weights no longer are (backbone.',
    ),
    'infinite running variance': (
        hook("type='SpoilBuffer', name='running_var', step=5, value='inf'"),
        'step 5: the losses are finite, but the weights no longer are (backbone.',
    ),
    'other buffer': (
        hook("type='SpoilBuffer', name='spare', step=5"),
        'after step 6 the weights are not finite (spare)',
    ),
    'state of the optimizer': (
        hook("type='SpoilState'"),
        'after step 6 the states of the optimizer are not finite (exp_avg_sq of back',
    ),
    'two optimizers': (
        TWO + loss('nan', True),
        'step 5: the losses are finite, but the weights no longer are (backbone.',
    ),
}


def run(folder, extra, *options):
    """Train by the tool; its exit status."""
    config = tiny.write_config(folder, extra=CHECKPOINTS + extra)
    work = folder / 'work'
    try:
        tiny.call_tool('train.py', config, '--work-dir', work, *options)
    except SystemExit as stopped:
        return stopped.code
    return 0


def assert_all_finite(work, names):
    found = sorted(work.glob('*.pth'))
    assert [path.name for path in found] == names
    for path in found:
        checkpoint = load_checkpoint_file(path)
        values = [v for k, v in checkpoint['state_dict'].items() if k != 'spare']
        states = checkpoint['optimizer']
        for each in states.values() if 'state' not in states else [states]:
            for state in each.get('state', {}).values():
                values += [v for v in state.values() if isinstance(v, torch.Tensor)]
        assert all(value.isfinite().all() for value in values)
        assert not checkpoint['state_dict'].get('spare', torch.zeros(1)).isnan().any()


SLOW = (
    'inf loss',
    'inf gradient',
    'accumulated nan loss',
    'infinite running variance',
    'clipped nan gradient',
)


@pytest.mark.parametrize(
    'kind',
    [
        pytest.param(kind, marks=[pytest.mark.slow] if kind in SLOW else [])
        for kind in KINDS
    ],
)
def test_each_kind_without_validation(kind, tmp_path, capsys):
    extra, begins = KINDS[kind]
    assert run(tmp_path, extra, '--no-validate') == 1
    *_, told = capsys.readouterr().err.strip().splitlines()
    assert told.startswith(f'error: {begins}')
    for part in ('iter_4.pth', 'lower optim_wrapper.'):
        assert part in told
    assert told.startswith('error: after') or 'images/0' in told
    assert_all_finite(tmp_path / 'work', ['iter_2.pth', 'iter_4.pth'])
    assert find_resumable_checkpoint(tmp_path / 'work').name == 'iter_4.pth'


def test_resumed_with_what_was_wrong_set_right(tmp_path):
    assert run(tmp_path, loss('nan'), '--no-validate') == 1
    good = loss('nan').replace('step=5', 'step=99')
    config = tiny.write_config(tmp_path, extra=CHECKPOINTS + good)
    whole = train(config, tmp_path / 'whole')
    resumed = train(config, tmp_path / 'work', resume=True)
    assert_same_bits(final_tensors(whole), final_tensors(resumed))


@OPTIM_WRAPPERS.register_module()
class ScaledOptimWrapper(AmpOptimWrapper):
    """torch's loss scaler without mixed precision, which not every CPU has."""

    def __init__(self, **kwargs):
        OptimWrapper.__init__(self, **kwargs)
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=1024.0)
        self._scale_update_param = None

    def optim_context(self, model):
        return OptimWrapper.optim_context(self, model)


SCALED = CLIPPED + "optim_wrapper['type'] = 'ScaledOptimWrapper'\n"


def test_an_overflow_that_the_loss_scaler_handles_does_not_stop(tmp_path):
    assert run(tmp_path, SCALED + loss('inf', True), '--no-validate') == 0
    assert_all_finite(tmp_path / 'work', ['iter_12.pth', 'iter_14.pth'])


def test_a_loss_scaler_that_leaves_out_every_step_does(tmp_path, capsys):
    extra = SCALED + loss('inf', True, until=99) + "train_cfg['max_iters'] = 99\n"
    assert run(tmp_path, extra, '--no-validate') == 1
    *_, told = capsys.readouterr().err.strip().splitlines()
    # From 1024 in step 5 to less than 2 ** -20.
    assert told.startswith('error: step 35: the gradients are not finite at any scale')
    assert 'train without --amp' in told
