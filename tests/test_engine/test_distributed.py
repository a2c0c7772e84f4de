# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Joining other processes without a GPU, and what ends with them."""

import os
import stat
import subprocess
from types import SimpleNamespace
from unittest import mock

import pytest
import tiny
import tiny_methods
import torch
from mmengine.config import Config
from mmengine.model import convert_sync_batchnorm, revert_sync_batchnorm
from torch import nn

from mmkp.engine.config import load_config
from mmkp.engine.config_check import ConfigError
from mmkp.engine.distributed import (
    LostProcessError,
    join_without_gpu,
    told_of_other_processes,
)


@pytest.fixture
def joined(monkeypatch):
    """The environment in which this process would join the others."""
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)
    calls = {}

    def join(backend, **options):
        calls.update(options, backend=backend, environment=dict(os.environ))

    monkeypatch.setattr('torch.distributed.init_process_group', join)
    return calls


@pytest.mark.parametrize(
    'launcher, names',
    [
        ('pytorch', ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')),
        ('slurm', ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID')),
        (
            'mpi',
            tuple(f'OMPI_COMM_WORLD_{n}' for n in ('RANK', 'SIZE', 'LOCAL_RANK')),
        ),
    ],
)
def test_each_launcher_joins_by_gloo(launcher, names, joined, monkeypatch):
    monkeypatch.setenv('MASTER_ADDR', 'first-machine')
    for name, value in zip(names, '381', strict=True):
        monkeypatch.setenv(name, value)
    cfg = Config(dict(launcher=launcher, env_cfg=dict(dist_cfg=dict(timeout=90))))
    join_without_gpu(cfg)
    assert joined['backend'] == 'gloo' and joined['timeout'].seconds == 90
    environment = joined['environment']
    found = [environment[name] for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')]
    assert found == ['3', '8', '1']
    assert environment['MASTER_ADDR'] == 'first-machine'
    assert cfg.model_wrapper_cfg.device_ids is None


def test_a_launcher_that_has_not_started_this_process(joined):
    with pytest.raises(ConfigError, match=r'RANK and WORLD_SIZE and LOCAL_RANK are'):
        join_without_gpu(Config(dict(launcher='pytorch')))
    assert not joined


def test_batch_normalization_over_processes_needs_a_gpu(joined):
    with pytest.raises(ConfigError, match="sync_bn='torch' needs GPUs"):
        join_without_gpu(Config(dict(launcher='pytorch', sync_bn='torch')))


@pytest.mark.parametrize('name', tiny_methods.METHODS)
def test_every_batch_normalization_can_be_synchronized(name):
    model = tiny_methods.build(name)
    before = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    state = {key: value.clone() for key, value in model.state_dict().items()}
    synchronized = convert_sync_batchnorm(model, 'torch')
    found = [m for m in synchronized.modules() if isinstance(m, nn.SyncBatchNorm)]
    assert len(found) == len(before)
    assert not [m for m in synchronized.modules() if isinstance(m, nn.BatchNorm2d)]
    again = revert_sync_batchnorm(synchronized).state_dict()
    assert again.keys() == state.keys()
    assert all(torch.equal(again[key], value) for key, value in state.items())


@pytest.mark.parametrize('name', ['cspnext-m', 'mobilenetv2'])
def test_configs_of_backbones_with_unread_layers_say_so(name, joined, monkeypatch):
    for key, value in (('RANK', '0'), ('WORLD_SIZE', '1'), ('LOCAL_RANK', '0')):
        monkeypatch.setenv(key, value)
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    cfg = load_config(f'openpose_{name}_coco-368x368', launcher='pytorch')
    assert cfg.find_unused_parameters
    assert cfg.model_wrapper_cfg.find_unused_parameters
    other = load_config('openpose_res50_coco-368x368', launcher='pytorch')
    assert other.model_wrapper_cfg.find_unused_parameters is False


def runner(model=None, distributed=True):
    wrapped = SimpleNamespace(module=model)
    return SimpleNamespace(model=wrapped, work_dir='work', distributed=distributed)


@pytest.fixture
def two_of_them():
    with (
        mock.patch('torch.distributed.get_rank', return_value=1),
        mock.patch('torch.distributed.get_world_size', return_value=2),
    ):
        yield


def test_parameters_without_a_gradient_are_named():
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    model[0].bias.requires_grad_(False)
    error = RuntimeError(
        'Expected to have finished reduction in the prior iteration ... Parameter '
        'indices which did not receive grad for rank 0: 0 2\n In addition, you can'
    )
    with pytest.raises(ValueError, match=r'^0\.weight, 1\.bias get no gradient') as e:
        with told_of_other_processes(runner(model)):
            raise error
    assert 'find_unused_parameters=True' in str(e.value)


@pytest.mark.parametrize(
    'text',
    [
        '[gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:3',
        'Timed out waiting 1800000ms for recv operation to complete',
        'Read error [127.0.0.1]:1: Connection reset by peer',
    ],
)
def test_the_end_of_another_process_is_one_sentence(text, two_of_them):
    with pytest.raises(LostProcessError, match=r"process 1 of 2 stops.* 'work'"):
        with told_of_other_processes(runner()):
            raise RuntimeError(text)


def test_other_errors_stay_what_they_are(two_of_them):
    for run, text in ((runner(), 'sizes differ'), (runner(distributed=False), 'reset')):
        with pytest.raises(RuntimeError, match=text) as found:
            with told_of_other_processes(run):
                raise RuntimeError(text)
        assert type(found.value) is RuntimeError


@pytest.mark.parametrize('gres', [None, ''])
def test_slurm_is_asked_for_gpus_or_not(gres, tmp_path):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(srun.stat().st_mode | stat.S_IEXEC)
    environment = dict(os.environ, PATH=f'{tmp_path}:{os.environ["PATH"]}', GPUS='4')
    if gres is not None:
        environment['GRES'] = gres
    script = tiny.TOOLS / 'slurm_train.sh'
    found = subprocess.run(
        ['bash', script, 'part', 'job', 'config.py', 'a folder', '--resume'],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = found.stdout.splitlines()
    assert ('--gres=gpu:8' in lines) == (gres is None)
    assert not any(line.startswith('--gres=') for line in lines) or gres is None
    assert '--ntasks=4' in lines and '--work-dir=a folder' in lines
    assert lines[-3:] == ['--launcher', 'slurm', '--resume']
