"""A training that is stopped by a signal loses nothing, wherever it was."""

import multiprocessing
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
import torch
from mmengine.hooks import Hook
from mmpose.registry import HOOKS
from tiny_training import (
    assert_same_bits,
    begun,
    final_tensors,
    train,
    train_and_signal,
)

from mmkp.engine import find_resumable_checkpoint, load_checkpoint_file

# No interval asks for a checkpoint: as the config of a folder, 800 steps of 1,000.
RARE = """
custom_hooks = [dict(type='EMAHook', momentum=0.1)]
default_hooks['checkpoint'].update(
    interval=1000, save_best='tiny/spread', rule='less', seconds={seconds})
"""
BY_EPOCH = """
train_cfg = dict(by_epoch=True, max_epochs=3, val_interval=1)
train_dataloader['sampler'] = dict(type='DefaultSampler', shuffle=True)
default_hooks['checkpoint'] = dict(type={hook!r}, interval=10)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=6),
    dict(type='MultiStepLR', milestones=[1, 2], by_epoch=True)]
"""

OF_THE_TOOL = """
test_evaluator = val_evaluator = dict(type='KeypointCollapseMetric')
log_level = 'INFO'
"""


def names(work_dir: Path) -> list[str]:
    return sorted(path.name for path in work_dir.glob('*.pth'))


def best(work_dir: Path) -> dict:
    [path] = work_dir.glob('best_*.pth')
    return {path.name: 0, **load_checkpoint_file(path)['state_dict']}


def assert_same_best(left: Path, right: Path) -> None:
    left, right = best(left), best(right)
    left = {key: torch.as_tensor(value) for key, value in left.items()}
    right = {key: torch.as_tensor(value) for key, value in right.items()}
    assert_same_bits(left, right)


@pytest.mark.parametrize(
    ('number', 'num_workers', 'status'),
    [
        (signal.SIGINT, 2, 130),
        (signal.SIGTERM, 2, 143),
        (signal.SIGTERM, 0, 143),
        (signal.SIGKILL, 2, -signal.SIGKILL),
    ],
)
def test_stopped_at_any_step_and_resumed(tmp_path, number, num_workers, status):
    is_kill = number == signal.SIGKILL
    extra = RARE.format(seconds=0.1 if is_kill else None)
    config = tiny.write_config(tmp_path, extra=extra, num_workers=num_workers)
    whole, work = train(config, tmp_path / 'whole'), tmp_path / 'work'
    step = random.Random(time.time_ns()).randrange(6 if is_kill else 0, 13)
    print(f'{number!r} at step {step}')
    found = train_and_signal(
        config, work, number, lambda: begun(work) >= step, group=not is_kill
    )
    assert found == status
    saved = load_checkpoint_file(find_resumable_checkpoint(work))['meta']['iter']
    assert saved >= step if not is_kill else saved >= 1
    assert not list(work.glob('.*unfinished')) or is_kill
    resumed = train(config, work, resume=True)
    assert_same_bits(final_tensors(whole), final_tensors(resumed))
    assert_same_best(tmp_path / 'whole', work)
    assert names(work) == names(tmp_path / 'whole')  # nothing else stays behind


@pytest.mark.parametrize(
    ('num_workers', 'hook'), [(0, 'AtomicCheckpointHook'), (2, 'CheckpointHook')]
)
def test_stopped_within_an_epoch(tmp_path, num_workers, hook):
    config = tiny.write_config(
        tmp_path, extra=BY_EPOCH.format(hook=hook), num_workers=num_workers
    )
    whole, work = train(config, tmp_path / 'whole'), tmp_path / 'work'
    step = random.Random(time.time_ns()).randrange(0, 14)
    print(f'stopped at step {step}')
    status = train_and_signal(
        config, work, signal.SIGINT, lambda: begun(work) >= step, group=True
    )
    assert status == 130
    resumed = train(config, work, resume=True)
    assert resumed.iter == whole.iter and resumed.epoch == whole.epoch == 3
    assert_same_bits(final_tensors(whole), final_tensors(resumed))
    for left, right in zip(
        whole.param_schedulers, resumed.param_schedulers, strict=True
    ):
        assert left.state_dict() == right.state_dict()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
def test_a_validation_that_was_cut_short_is_made_up_for(tmp_path, number):
    config = tiny.write_config(tmp_path, extra=RARE.format(seconds=None))
    whole, work = train(config, tmp_path / 'whole'), tmp_path / 'work'
    train_and_signal(config, work, number, (work / 'validates').exists)
    assert names(work) == ['iter_4.pth']
    resumed = train(config, work, resume=True)
    assert_same_bits(final_tensors(whole), final_tensors(resumed))
    assert_same_best(tmp_path / 'whole', work)
    logs = [path.read_text() for path in work.glob('*/vis_data/scalars.json')]
    assert sum(log.count('"tiny/spread"') for log in logs) == 4  # 4, 8, 12, 14


@HOOKS.register_module()
class FilesOfEachStep(Hook):
    """Which checkpoints there are after each step."""

    priority = 'LOWEST'
    seen: list[set[str]] = []

    def after_train_iter(self, runner, *args, **kwargs):
        self.seen.append({path.stem for path in Path(runner.work_dir).glob('*.pth')})


def test_one_checkpoint_more_than_the_interval_asks_for(tmp_path):
    extra = """
default_hooks['checkpoint'].update(seconds=1e-9, max_keep_ckpts=2)
custom_hooks = [dict(type='FilesOfEachStep')]
"""
    config = tiny.write_config(tmp_path, extra=extra, max_iters=10)
    train(config, tmp_path / 'work')  # interval 3, one more each step
    assert FilesOfEachStep.seen[4:] == [
        {'iter_3', 'iter_5'},
        {'iter_3', 'iter_6'},
        {'iter_3', 'iter_6', 'iter_7'},
        {'iter_3', 'iter_6', 'iter_8'},
        {'iter_6', 'iter_9'},
        {'iter_9', 'iter_10'},
    ]


def test_gradients_that_are_accumulated_are_not_lost(tmp_path):
    extra = RARE.format(seconds=None) + 'optim_wrapper.update(accumulative_counts=4)'
    config = tiny.write_config(tmp_path, extra=extra)
    whole, work = train(config, tmp_path / 'whole'), tmp_path / 'work'
    train_and_signal(config, work, signal.SIGINT, lambda: begun(work) >= 5)
    assert load_checkpoint_file(find_resumable_checkpoint(work))['meta']['iter'] == 8
    resumed = train(config, work, resume=True)
    assert_same_bits(final_tensors(whole), final_tensors(resumed))


def test_the_tool_says_how_to_continue(tmp_path):
    config = tiny.write_config(tmp_path, extra=OF_THE_TOOL, max_iters=10**6)
    work = tmp_path / 'work'
    command = [sys.executable, str(tiny.TOOLS / 'train.py'), str(config)]
    command += ['--work-dir', str(work), '--cfg-options', 'train_cfg.val_interval=9999']
    command += ['default_hooks.checkpoint.interval=1000', '--resume']
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    process = subprocess.Popen(command, **pipes)
    for _ in range(2):
        lines = []
        for line in process.stdout:
            lines.append(line)
            if 'Iter(train)' in line:
                break
        process.send_signal(signal.SIGINT)
        told = ''.join(lines) + process.communicate(timeout=60)[0]
        assert process.returncode == 130, told
        assert told.count('To continue:') == 1 and 'Traceback' not in told
        [line] = [line for line in told.splitlines() if 'python ' in line]
        words = shlex.split(line)
        assert words[0] == 'python' and words[1:] == command[1:]
        # That command goes on where this one was.
        process = subprocess.Popen([sys.executable, *words[1:]], **pipes)
    process.kill()
    process.communicate()
    begins = ''.join(lines)
    assert f'--resume: going on from {work}' in begins


def test_second_signal_leaves_at_once(tmp_path):
    config = tiny.write_config(tmp_path, extra=RARE.format(seconds=None))
    work = tmp_path / 'work'

    told = tmp_path / 'told'

    def train_slowly():
        os.dup2(os.open(told, os.O_CREAT | os.O_WRONLY), 2)
        sleep = time.sleep
        time.sleep = lambda seconds: sleep(60)
        train(config, work, slow=True)

    child = multiprocessing.get_context('fork').Process(target=train_slowly)
    child.start()
    while begun(work) < 0:
        assert child.is_alive()
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGTERM)
    # A busy machine may deliver it late, and a second too soon would count as the same.
    while b'Once more to leave at once' not in told.read_bytes():
        assert child.is_alive()
        time.sleep(0.05)
    time.sleep(1)
    assert child.is_alive()
    os.kill(child.pid, signal.SIGTERM)
    child.join(30)
    assert child.exitcode == -signal.SIGTERM


@HOOKS.register_module()
class FailingHook(Hook):
    """Ends a training by an error."""

    def after_train_iter(self, runner, *args, **kwargs):
        raise ArithmeticError


def test_a_training_that_an_error_ended_leaves_no_deaf_processes(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    extra = "custom_hooks = [dict(type='FailingHook')]"
    config = tiny.write_config(tmp_path, max_iters=2, extra=extra)
    with pytest.raises(ArithmeticError):
        train(config, tmp_path / 'failed')
    try:
        child = multiprocessing.get_context('fork').Process(
            target=time.sleep, args=(60,)
        )
        child.start()
        time.sleep(0.2)
        os.kill(child.pid, signal.SIGTERM)
        child.join(30)
        assert child.exitcode == -signal.SIGTERM
        # The next training does not take the last one's handler for the former.
        train(tiny.write_config(tmp_path, max_iters=2), tmp_path / 'whole')
        assert signal.getsignal(signal.SIGTERM) == before
    finally:
        signal.signal(signal.SIGTERM, before)


def test_signals_have_their_former_effect_outside_the_training(tmp_path):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    train(tiny.write_config(tmp_path, max_iters=2), tmp_path / 'work')
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
