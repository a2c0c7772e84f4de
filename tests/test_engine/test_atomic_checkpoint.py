"""Nothing that was written is lost, whenever a process is stopped."""

import os
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from mmengine.fileio import get_file_backend
from mmengine.logging import MessageHub, MMLogger

from mmkp.engine import AtomicCheckpointHook, find_resumable_checkpoint


def test_interrupted_write_keeps_the_former_content(tmp_path):
    backend = get_file_backend(backend_args=dict(backend='atomic_local'))
    path = tmp_path / 'new' / 'file.pth'
    backend.put(b'former', path)
    with mock.patch.object(os, 'fsync', side_effect=KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            backend.put(b'latter, half written', path)
    assert path.read_bytes() == b'former'
    backend.put_text('latter', path)
    assert path.read_text() == 'latter'
    assert [p.name for p in path.parent.iterdir()] == ['file.pth']


class FakeRunner:
    """The parts of a runner that a checkpoint hook talks to."""

    def __init__(self, work_dir):
        self.work_dir = str(work_dir)
        self.logger = MMLogger.get_instance('atomic', log_level='ERROR')
        self.message_hub = MessageHub(f'atomic_{id(self)}')
        self.param_schedulers = None
        self.iter, self.epoch = 0, 0
        self.called, self.full = [], False

    def call_hook(self, name):
        self.called.append(name)

    def save_checkpoint(self, out_dir, filename, *args, backend_args=None, **kwargs):
        if self.full:
            raise OSError('no space left on device')
        assert backend_args == dict(backend='atomic_local')
        torch.save({'iter': self.iter}, Path(out_dir) / filename)


def save_at(hook, runner, iteration):
    runner.iter = iteration - 1
    hook._save_checkpoint(runner)
    runner.iter = iteration


@pytest.fixture
def runner(tmp_path):
    return FakeRunner(tmp_path)


def names(folder):
    return sorted(path.name for path in Path(folder).glob('*.pth'))


def test_outdated_checkpoint_goes_after_the_new_one_is_there(runner):
    hook = AtomicCheckpointHook(interval=1, by_epoch=False, max_keep_ckpts=1)
    hook.before_train(runner)
    save_at(hook, runner, 1)
    runner.full = True
    with pytest.raises(OSError, match='no space'):
        save_at(hook, runner, 2)
    assert names(runner.work_dir) == ['iter_1.pth']
    assert find_resumable_checkpoint(runner.work_dir).name == 'iter_1.pth'


def test_only_so_many_checkpoints_are_kept(runner):
    hook = AtomicCheckpointHook(interval=1, by_epoch=False, max_keep_ckpts=2)
    hook.before_train(runner)
    for iteration in (1, 2, 3):
        save_at(hook, runner, iteration)
    assert names(runner.work_dir) == ['iter_2.pth', 'iter_3.pth']


def test_best_checkpoint_goes_after_the_better_one_is_there(runner):
    hook = AtomicCheckpointHook(by_epoch=False, save_best='error', rule='less')
    hook.before_train(runner)
    save_at(hook, runner, 1)
    hook.after_val_epoch(runner, dict(error=0.5))
    save_at(hook, runner, 2)
    runner.full = True
    with pytest.raises(OSError, match='no space'):
        hook.after_val_epoch(runner, dict(error=0.4))
    assert 'best_error_iter_1.pth' in names(runner.work_dir)


def test_only_the_best_checkpoint_is_kept(runner):
    hook = AtomicCheckpointHook(by_epoch=False, save_best='error', rule='less')
    hook.before_train(runner)
    for iteration, error in ((1, 0.5), (2, 0.4), (3, 0.6)):
        save_at(hook, runner, iteration)
        hook.after_val_epoch(runner, dict(error=error))
    best = [name for name in names(runner.work_dir) if name.startswith('best')]
    assert best == ['best_error_iter_2.pth']


def test_what_a_killed_process_left_is_cleared_away(runner):
    (Path(runner.work_dir) / '.iter_7.pth.unfinished').write_bytes(b'half')
    AtomicCheckpointHook(by_epoch=False).before_train(runner)
    assert not list(Path(runner.work_dir).iterdir())


def test_all_processes_are_asked_before_a_checkpoint(runner):
    hook = AtomicCheckpointHook(by_epoch=False)
    hook.before_train(runner)
    save_at(hook, runner, 1)
    assert runner.called == ['before_checkpoint_on_all_ranks']


def test_other_storage_is_left_to_its_own_backend():
    hook = AtomicCheckpointHook(out_dir='s3://bucket')
    assert hook.backend_args is None
    hook = AtomicCheckpointHook(backend_args=dict(backend='local'))
    assert hook.backend_args == dict(backend='local')
    assert SimpleNamespace(**vars(hook)).interval == -1
