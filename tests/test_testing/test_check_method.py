# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every method passes every check, and each check fails a method that breaks it."""

import copy
import logging
import random

import numpy as np
import pytest
import torch
from broken_methods import BROKEN
from checked_methods import METHODS
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS
from third_party import config as third_party

from mmkp.engine import ConfigError
from mmkp.testing import CHECKS, CheckFailed, check_method, method_checks
from mmkp.testing.__main__ import main

STEPS = 8
# Seconds of compiling, or of 64 fields at each cell.
SLOW = {('openpose', 'any_number_of_keypoints')}


def checks_of_methods():
    for name, make in METHODS.items():
        for check in method_checks(make(), steps=STEPS):
            marks = pytest.mark.slow if (name, check.__name__) in SLOW else ()
            yield pytest.param(check, marks=marks, id=f'{name}-{check.__name__}')


@pytest.mark.parametrize('check', list(checks_of_methods()))
def test_every_method_passes(check):
    check()


@pytest.mark.parametrize('check', method_checks(third_party(), steps=STEPS))
def test_a_sound_method_of_others_passes(check):
    check()


def test_an_exportable_method_passes():
    check_method(third_party(model='Exportable'), checks=['export'], steps=1)


def test_each_check_has_a_method_that_fails_it():
    assert set(BROKEN) == set(CHECKS)


@pytest.mark.parametrize('name', list(BROKEN))
def test_a_broken_method_fails(name):
    with pytest.raises(CheckFailed) as raised:
        check_method(BROKEN[name], checks=[name], steps=STEPS)
    message = str(raised.value)
    assert message.startswith(f'1 of 1 checks failed:\n  {name}: ')
    # What was measured, and what usually causes it.
    assert CHECKS[name].cause in message and len(message) > len(CHECKS[name].cause) + 40


def test_all_failures_are_told_at_once_and_skips_with_their_reason():
    told = []
    names = ['loss_is_finite', 'loss_falls', 'prediction_draws_nothing', 'export']
    with pytest.raises(CheckFailed) as raised:
        check_method(
            BROKEN['loss_falls'],
            checks=names,
            skip={'prediction_draws_nothing': 'it draws on purpose'},
            steps=4,
            on_result=told.append,
        )
    assert 'loss_falls' in str(raised.value)
    assert [result.status for result in told] == [
        'passed',
        'failed',
        'skipped',
        'skipped',
    ]
    assert told[2].message == 'it draws on purpose'
    assert 'claims no export' in told[3].message
    assert all(result.seconds >= 0 for result in told)


def test_unknown_checks_and_skips_without_reason_are_refused():
    with pytest.raises(ValueError, match="no check 'loss_fall', did you mean 'loss_f"):
        check_method(third_party(), checks=['loss_fall'])
    with pytest.raises(ValueError, match='without a reason'):
        method_checks(third_party(), skip={'export': ''})


def test_a_config_with_a_mistake_is_refused_once():
    config = third_party()
    config['model']['head']['num_keypoint'] = 3
    with pytest.raises(ConfigError, match='num_keypoint'):
        check_method(config)


def test_nothing_of_the_process_is_changed():
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    expected = torch.rand(1), np.random.rand(), random.random()
    torch.manual_seed(5), np.random.seed(5), random.seed(5)
    config = third_party()
    before, level = copy.deepcopy(config), logging.root.manager.disable
    check_method(config, checks=['same_seed_gives_same_training'], steps=1)
    assert config == before and logging.root.manager.disable == level
    assert expected == (torch.rand(1), np.random.rand(), random.random())


def test_given_samples_take_the_place_of_drawn_ones():
    from mmkp.testing import Method

    samples = Method(third_party()).training_samples
    names = ['loss_falls', 'batch_equals_singles', 'any_number_of_keypoints']
    results = check_method(third_party(), checks=names, samples=samples, steps=4)
    assert [result.status for result in results] == ['passed', 'passed', 'skipped']


def test_the_command_prints_a_line_a_check(tmp_path, capsys):
    path = tmp_path / 'third.py'
    path.write_text('\n'.join(f'{k} = {v!r}' for k, v in third_party().items()))
    assert main([str(path), '--checks', 'loss_is_finite', 'export']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ['passed', 'skipped']
    assert lines[2] == '1 of 2 checks passed, none failed'
    path.write_text('\n'.join(f'{k} = {v!r}' for k, v in BROKEN['loss_falls'].items()))
    assert main([str(path), '--checks', 'loss_falls', '--steps', '4']) == 1
    assert '1 of 1 checks failed' in capsys.readouterr().out


@TRANSFORMS.register_module()
class NeedsItsFrames(BaseTransform):
    def transform(self, results):
        return results['frames']


def test_a_pipeline_that_needs_files_asks_for_samples():
    config = third_party()
    config['train_dataloader']['dataset']['pipeline'].insert(
        0, {'type': 'NeedsItsFrames'}
    )
    with pytest.raises(ValueError, match=r'KeyError: .frames.*give check_method samp'):
        check_method(config)
