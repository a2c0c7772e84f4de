"""Loader settings that contradict each other are settled or refused, not passed on."""

import pytest
import tiny
import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import MMLogger

from mmkp.engine import ConfigError
from mmkp.engine.loader_options import settle_loaders
from mmkp.engine.runner_options import complete_hooks


def settle(**settings) -> ConfigDict:
    sampler = dict(type='DefaultSampler', shuffle=False)
    loader = dict(dict(batch_size=2, num_workers=0, sampler=sampler), **settings)
    cfg = Config(dict(train_dataloader=dict(loader, dataset=dict(type='X'))))
    settle_loaders(cfg)
    return cfg.train_dataloader


@pytest.mark.parametrize(
    'setting',
    [
        dict(persistent_workers=True),
        dict(prefetch_factor=4),
        dict(multiprocessing_context='spawn'),
        dict(timeout=30),
        dict(pin_memory=True),
        dict(batch_sampler=dict(type='X'), drop_last=True),
    ],
)
def test_settings_without_effect_are_taken_out_and_told_once(setting, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    told = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'log', lambda level, message: told.append(message))
    name = list(setting)[-1]
    assert name not in settle(**setting)
    assert len(told) == 1 and name in told[0] and 'train_dataloader' in told[0]


def test_settings_with_effect_stay():
    given = dict(num_workers=2, persistent_workers=True, prefetch_factor=4)
    found = settle(**given)
    assert {name: found[name] for name in given} == given
    assert settle(persistent_workers=False)['persistent_workers'] is False


@pytest.mark.parametrize(
    ('has_gpu', 'given', 'expected'),
    [(True, {}, True), (True, {'pin_memory': False}, False), (False, {}, None)],
)
def test_memory_is_pinned_where_there_is_a_gpu(has_gpu, given, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: has_gpu)
    assert settle(**given).get('pin_memory') is expected


@pytest.mark.parametrize(
    ('setting', 'message'),
    [
        (dict(num_workers=-1), r'num_workers must be a whole number from 0, got -1'),
        (dict(batch_size=0), r'batch_size must be a whole number from 1, got 0'),
        (dict(num_workers='2'), r"num_workers .* got '2'"),
        (dict(num_workers=1, prefetch_factor=0), 'prefetch_factor .* from 1, got 0'),
        (dict(shuffle=True), r'train_dataloader\.sampler\.shuffle=True'),
        (dict(sampler=None), r'train_dataloader\.sampler is missing'),
        (dict(num_workers=1, multiprocessing_context='spwan'), "mean 'spawn'"),
    ],
)
def test_mistakes_are_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        settle(**setting)


BY_EPOCH = """
train_cfg = dict(by_epoch=True, max_epochs=1, val_interval=1)
train_dataloader['sampler'] = dict(type='DefaultSampler', shuffle=True)
train_dataloader['batch_size'] = 64
param_scheduler = []
"""


def test_a_batch_larger_than_the_data(tmp_path, capsys):
    config = tiny.write_config(tmp_path, extra=BY_EPOCH)
    with pytest.raises(SystemExit):
        tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'work')
    told = capsys.readouterr().err
    assert 'batch_size=64 is more than the 11 samples' in told and 'drop_last' in told


def test_no_worker_processes_on_the_command_line(tmp_path):
    config = tiny.write_config(
        tmp_path, extra="train_dataloader['persistent_workers'] = True", num_workers=1
    )
    options = ['train_dataloader.num_workers=0', 'train_cfg.max_iters=1']
    options = ['--no-validate', '--cfg-options', *options]
    tiny.call_tool('train.py', config, '--work-dir', tmp_path / 'work', *options)
    assert (tmp_path / 'work' / 'iter_1.pth').is_file()


def test_configs_of_others_get_the_hooks_that_keep_a_training_safe():
    cfg = Config(dict(default_hooks=dict(checkpoint=dict(type='CheckpointHook'))))
    complete_hooks(cfg)
    types = {hook['type'] for hook in cfg.default_hooks.values()}
    assert types == {
        'AtomicCheckpointHook',
        'InterruptHook',
        'FiniteTrainingHook',
        'ExactResumeHook',
        'ResumedSettingsHook',
    }
    cfg = Config(
        dict(
            default_hooks=dict(interrupt=None, checkpoint=None),
            custom_hooks=[dict(type='ExactResumeHook')],
        )
    )
    complete_hooks(cfg)
    assert set(cfg.default_hooks) == {'finite', 'checkpoint', 'resumed_settings'}
    assert cfg.default_hooks.checkpoint is None
