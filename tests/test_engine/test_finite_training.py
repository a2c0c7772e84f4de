"""A training that diverges stops, is explained, and spoils no checkpoint."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
import tiny
import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmpose.registry import HOOKS
from tiny_training import train

from mmkp.engine import (
    FiniteTrainingHook,
    NonFiniteError,
    find_resumable_checkpoint,
    load_checkpoint_file,
)
from mmkp.engine.non_finite import non_finite_names, scales_losses

# The rate is multiplied by 1e30 after six steps.
DIVERGES = """
optim_wrapper = dict(optimizer=dict(type='SGD', lr=1e-4))
param_scheduler = [dict(
    type='MultiStepLR', by_epoch=False, milestones=[6], gamma=1e30)]
default_hooks['checkpoint'].update(interval=1, max_keep_ckpts=2)
"""


@HOOKS.register_module()
class Spoil(Hook):
    """Makes a value of the model, or of what it reports, not finite."""

    priority = 'HIGHEST'

    def __init__(self, what, step):
        self.what, self.step = what, step

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 != self.step:
            return
        if self.what == 'weight':
            next(runner.model.parameters()).data.fill_(torch.inf)
        elif self.what == 'norm':
            runner.message_hub.update_scalar('train/grad_norm', float('inf'))
        else:
            outputs['loss_equivariance'] = torch.tensor(torch.nan)


def finite_checkpoints(work):
    found = sorted(work.glob('*.pth'))
    states = [load_checkpoint_file(path)['state_dict'] for path in found]
    assert all(v.isfinite().all() for state in states for v in state.values())
    return [path.name for path in found]


def test_diverging_training_stops_and_keeps_its_checkpoints(tmp_path):
    config = tiny.write_config(tmp_path, extra=DIVERGES)
    with pytest.raises(NonFiniteError) as caught:
        train(config, tmp_path / 'work')
    told = str(caught.value)
    assert len(finite_checkpoints(tmp_path / 'work')) == 2
    kept = find_resumable_checkpoint(tmp_path / 'work')
    for part in ('loss', 'images/0', 'optimizer.lr', 'clip_grad', str(kept)):
        assert part in told


@pytest.mark.parametrize(
    ('what', 'parts'),
    [
        ('loss', ['step 5: loss_equivariance is nan', 'images/0']),
        ('norm', ['step 5: the norm of the gradients is inf', 'images/0']),
        (
            'weight',
            ['step 6: the losses are finite', 'longer are (backbone.', 'images/0'],
        ),
    ],
)
def test_whatever_is_not_finite_is_named(tmp_path, what, parts):
    step = 6 if what == 'weight' else 5
    extra = f"""
custom_hooks = [dict(type='Spoil', what={what!r}, step={step})]
default_hooks['checkpoint'].update(interval=2)
"""
    config = tiny.write_config(tmp_path, extra=extra)
    with pytest.raises(NonFiniteError) as caught:
        train(config, tmp_path / 'work')
    for part in (*parts, 'iter_4.pth'):
        assert part in str(caught.value)
    assert finite_checkpoints(tmp_path / 'work') == ['iter_2.pth', 'iter_4.pth']


def test_weights_are_guarded_without_the_hook(tmp_path):
    extra = """
custom_hooks = [dict(type='Spoil', what='weight', step=4)]
default_hooks['checkpoint'].update(interval=2, max_keep_ckpts=1)
default_hooks['finite'] = dict(type='SyncBuffersHook', _delete_=True)
"""
    config = tiny.write_config(tmp_path, extra=extra)
    with pytest.raises(NonFiniteError, match='weights are not finite'):
        train(config, tmp_path / 'work')
    assert finite_checkpoints(tmp_path / 'work') == ['iter_2.pth']


def test_weights_of_a_damaged_checkpoint_are_refused(tmp_path):
    config = tiny.write_config(tmp_path, max_iters=4)
    train(config, tmp_path / 'work')
    path = tmp_path / 'work' / 'iter_4.pth'
    checkpoint = torch.load(path, weights_only=False)
    next(iter(checkpoint['state_dict'].values())).fill_(torch.nan)
    torch.save(checkpoint, tmp_path / 'damaged.pth')
    with pytest.raises(NonFiniteError, match='after step 0 the weights are not finite'):
        train(config, tmp_path / 'next', load_from=str(tmp_path / 'damaged.pth'))


def test_infinite_gradients_are_usual_with_a_loss_scale():
    steps = AmpOptimWrapper.__new__(AmpOptimWrapper)
    steps.loss_scaler = SimpleNamespace(is_enabled=lambda: True)
    assert scales_losses(SimpleNamespace(optim_wrapper=steps))
    steps = OptimWrapper.__new__(OptimWrapper)
    assert not scales_losses(SimpleNamespace(optim_wrapper=steps))


def test_masks_may_be_infinite():
    model = torch.nn.BatchNorm1d(2)
    model.register_buffer('mask', torch.full((2,), -torch.inf))
    assert non_finite_names(model) == []
    model.running_var[0] = torch.nan
    assert non_finite_names(model) == ['running_var']


def test_interval_must_be_positive():
    with pytest.raises(ValueError, match='interval must be at least 1, got 0'):
        FiniteTrainingHook(interval=0)


def test_json_files_have_no_bare_nan(tmp_path):
    from mmengine.fileio import dump, load

    content = dict(a=float('nan'), b=[1.5, float('inf')], c=torch.tensor([1, 2]))
    dump(content, tmp_path / 'a.json')
    assert 'NaN' not in (tmp_path / 'a.json').read_text()
    assert load(tmp_path / 'a.json') == dict(a=None, b=[1.5, None], c=[1, 2])
    assert json.loads(dump(dict(x=float('-inf')), file_format='json')) == dict(x=None)


def test_the_tool_tells_it_in_one_sentence(tmp_path):
    extra = DIVERGES + "val_evaluator = dict(type='KeypointCollapseMetric')\n"
    extra += 'test_evaluator = val_evaluator\n'
    config = tiny.write_config(tmp_path, extra=extra)
    command = [sys.executable, str(tiny.TOOLS / 'train.py'), str(config)]
    command += ['--work-dir', str(tmp_path / 'work')]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith('error: ')
