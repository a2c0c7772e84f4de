# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A training resumed with other settings: what ResumedSettingsHook adopts and tells."""

import logging
import re
from types import SimpleNamespace

import pytest
import tiny
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmkp.engine import load_checkpoint_file
from mmkp.engine.resumed_rates import adopt_rates
from mmkp.engine.training_settings import changed_settings, settings_in

WARM_UP = dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=4)
COSINE = dict(type='CosineAnnealingLR', by_epoch=False, begin=4, end=20, eta_min=1e-3)
STEPS = dict(type='MultiStepLR', by_epoch=False, milestones=[3, 12])
MOMENTUM = dict(type='CosineAnnealingMomentum', by_epoch=False, T_max=9, eta_min=0.8)
PLATEAU = dict(type='ReduceOnPlateauLR', monitor='loss')


def build(schedules, optimizer='Adam', **options):
    """An optimizer of two groups, and its schedulers, as a runner holds them."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 1))
    groups = [dict(params=model[0].parameters()), dict(params=model[1].parameters())]
    groups[1]['lr'] = options['lr'] * 2
    kind = getattr(torch.optim, optimizer)
    wrapper = OptimWrapper(kind(groups, **options))
    schedulers = [
        PARAM_SCHEDULERS.build(dict(schedule), default_args=dict(optimizer=wrapper))
        for schedule in schedules
    ]
    return SimpleNamespace(
        model=model, optim_wrapper=wrapper, param_schedulers=schedulers
    )


def step(run, number):
    """Train; return the rates of each step."""
    rates = []
    inputs = torch.linspace(-1, 1, 15).reshape(5, 3)
    for _ in range(number):
        groups = run.optim_wrapper.param_groups
        rates.append([value for g in groups for value in (g['lr'], *g['betas'])])
        run.optim_wrapper.update_params(run.model(inputs).square().mean())
        for scheduler in run.param_schedulers:
            if scheduler.__class__.__name__ != 'ReduceOnPlateauLR':
                scheduler.step()
    return rates


def resume(run, former):
    """What MMEngine does with the state of ``former``, after ours."""
    checkpoint = dict(
        optimizer=former.optim_wrapper.state_dict(),
        param_schedulers=[s.state_dict() for s in former.param_schedulers],
    )
    told = adopt_rates(run, checkpoint)
    run.model.load_state_dict(former.model.state_dict())
    run.optim_wrapper.load_state_dict(checkpoint['optimizer'])
    for scheduler, state in zip(
        run.param_schedulers, checkpoint['param_schedulers'], strict=True
    ):
        scheduler.load_state_dict(state)
    return told


@pytest.mark.parametrize(
    'schedules, changed',
    [
        ([], []),
        ([WARM_UP, COSINE], [WARM_UP, COSINE]),
        ([WARM_UP, STEPS], [WARM_UP, STEPS]),
        ([WARM_UP, COSINE], [WARM_UP, dict(COSINE, end=40)]),
        ([MOMENTUM, WARM_UP], [MOMENTUM, WARM_UP]),
        ([STEPS], [dict(STEPS, milestones=[3, 5], gamma=0.5)]),
    ],
)
@pytest.mark.parametrize('lr', [0.1, 0.01])
def test_rates_are_those_of_the_config_at_that_step(schedules, changed, lr):
    former = build(schedules, lr=0.1)
    step(former, 7)
    moments = former.optim_wrapper.state_dict()['state'][0]['exp_avg'].clone()
    told = resume(run := build(changed, lr=lr), former)
    whole = step(build(changed, lr=lr), 15)
    found = run.optim_wrapper.state_dict()['state'][0]
    assert torch.equal(found['exp_avg'], moments) and found['step'] == 7
    torch.testing.assert_close(step(run, 8), whole[7:], rtol=1e-12, atol=0)
    assert bool(told) == (schedules != changed or lr != 0.1)
    if lr != 0.1:
        assert 'optim_wrapper.optimizer.lr: 0.1 -> 0.01' in told
    if changed and changed[-1].get('end') == 40:
        assert any('CosineAnnealingLR.end: 20 -> 40' in change for change in told)


def test_rates_that_follow_the_losses_keep_their_share():
    former = build([PLATEAU], lr=0.1)
    for group in former.optim_wrapper.param_groups:
        group['lr'] *= 0.25  # as the scheduler would have
    told = resume(run := build([dict(PLATEAU, patience=3)], lr=0.02), former)
    groups = run.optim_wrapper.optimizer.param_groups
    assert [group['lr'] for group in groups] == [0.005, 0.01]
    assert run.param_schedulers[0].patience == 3
    assert len(told) == 3  # of two groups and the schedule


def test_other_numbers_of_the_optimizer_take_effect():
    former = build([WARM_UP], lr=0.1)
    step(former, 3)
    run = build([WARM_UP], lr=0.1, weight_decay=0.3, betas=(0.5, 0.9))
    assert set(resume(run, former)) == {
        'optim_wrapper.optimizer.weight_decay: 0 -> 0.3',
        'optim_wrapper.optimizer.betas: (0.9, 0.999) -> (0.5, 0.9)',
    }
    group = run.optim_wrapper.param_groups[1]
    assert group['weight_decay'] == 0.3 and tuple(group['betas']) == (0.5, 0.9)
    assert group['lr'] == former.optim_wrapper.param_groups[1]['lr']


def test_nothing_changes_where_nothing_has_changed():
    former = build([WARM_UP, COSINE], lr=0.1)
    step(former, 9)
    before = former.optim_wrapper.state_dict()['param_groups']
    assert resume(run := build([WARM_UP, COSINE], lr=0.1), former) == []
    assert run.optim_wrapper.state_dict()['param_groups'] == before


def test_workers_and_what_is_not_known_are_no_changes():
    former = {'train_dataloader.num_workers': 2, 'train_dataloader.batch_size': 4}
    present = {'train_dataloader.num_workers': 8, 'model.type': 'IMM'}
    present['train_dataloader.batch_size'] = 8
    key = 'train_dataloader.batch_size'
    assert changed_settings(former, present) == {key: (4, 8)}
    present['train_dataloader.num_workers'] = 0
    assert 'train_dataloader.num_workers' in changed_settings(former, present)
    text = "model = dict(type='IMM')\noptim_wrapper = dict(optimizer=dict(type='SGD'))"
    found = settings_in(dict(meta=dict(cfg=text, seed=5)))
    assert found['optim_wrapper.optimizer.type'] == 'SGD'
    assert found['model.type'] == 'IMM' and found['randomness.seed'] == 5
    assert settings_in(dict(meta=dict(cfg='import os'))) == {}


def resumed(folder, caplog, capsys, config, checkpoint):
    """Go on for one step; return what is told and the last checkpoint."""
    work = folder / 'work'
    with caplog.at_level(logging.WARNING):
        tiny.call_tool(
            'train.py', config, '--work-dir', work, '--no-validate',
            '--resume', checkpoint,
        )  # fmt: skip
    told = caplog.text + ''.join(capsys.readouterr())
    told += ''.join(path.read_text() for path in work.rglob('*.log'))
    return told, load_checkpoint_file(work / 'iter_15.pth')


def test_changes_are_told_once_and_rates_take_effect(tmp_path, caplog, capsys):
    checkpoint = tiny.trained()[1]
    old = load_checkpoint_file(checkpoint)
    extra = """
optim_wrapper['optimizer']['lr'] = 1e-3
train_dataloader['batch_size'] = 3
model['losses']['equivariance']['loss_weight'] = 2.5
default_hooks['checkpoint']['interval'] = 5
"""
    config = tiny.write_config(tmp_path, extra=extra, max_iters=15, seed=4)
    told, new = resumed(tmp_path, caplog, capsys, config, checkpoint)
    groups = [each['optimizer']['param_groups'][0] for each in (old, new)]
    assert [group['initial_lr'] for group in groups] == [1e-2, 1e-3]
    assert 'optim_wrapper.optimizer.lr: 0.01 -> 0.001' in told
    assert 'train_dataloader.batch_size was 2 and is 3' in told
    assert 'model.losses.equivariance.loss_weight was None and is 2.5' in told
    assert 'randomness.seed was 3 and is 4' in told and 'the seed stays' in told
    for left_out in ('interval', 'max_iters', 'data_root'):
        assert left_out not in ''.join(re.findall('--resume with.*', told))
    lines = re.findall(r'WARNING.*--resume.*', caplog.text)
    assert len(set(lines)) == len(lines) <= 2
    assert new['settings']['train_dataloader.batch_size'] == 3
    assert new['settings']['number of processes'] == 1


def test_another_optimizer_of_the_same_settings_is_refused(tmp_path, capsys):
    config = tiny.write_config(
        tmp_path, extra="optim_wrapper['optimizer']['type'] = 'NAdam'\n", max_iters=15
    )
    with pytest.raises(SystemExit) as stopped:
        tiny.call_tool(
            'train.py', config, '--work-dir', tmp_path / 'work',
            '--resume', tiny.trained()[1],
        )  # fmt: skip
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert 'its optimizer is Adam, the config has NAdam' in told
    assert 'instead of --resume' in told
