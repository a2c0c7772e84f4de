# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Two processes train each method: own views, exact resume, the end of one of them."""

import hashlib
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
import tiny
import tiny_methods
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmpose.registry import HOOKS
from torch import distributed
from two_processes import in_two_processes, needs_fork, two_processes

from mmkp.engine import load_checkpoint_file
from mmkp.engine.random_state import get_random_state

STEPS, INTERVAL = 9, 4
EXTRA = """
train_cfg = dict(by_epoch=False, max_iters={steps}, val_interval={interval})
default_hooks['checkpoint'] = dict(interval={interval}, max_keep_ckpts=-1)
custom_hooks = [dict(type='NoteDraws'), *{hooks}]
"""
# The demo's second training, in small.
PUPPETS = f"""
_base_ = '{tiny.TOOLS.parent}/configs/body_2d_keypoint/openpose/puppets/\
openpose_res18-w25_puppets-128x128.py'
train_dataloader = dict(batch_size=2)
val_dataloader = dict(dataset=dict(num_images=2))
param_scheduler = dict(end=5)
train_cfg = dict(max_iters={STEPS}, val_interval={INTERVAL})
default_hooks = dict(
    checkpoint=dict(interval={INTERVAL}, max_keep_ckpts=-1), logger=dict(interval=2))
custom_hooks = [dict(type='NoteDraws')]
randomness = dict(seed=1)
log_level = 'WARNING'
"""
SLOW = [name for name in tiny_methods.METHODS if name != 'AutoLink']


@HOOKS.register_module()
class NoteDraws(Hook):
    """Notes where this process' generators are before each step."""

    def before_train_iter(self, runner, *args, **kwargs):
        state = get_random_state()
        python, numpy = repr(state['python']), state['numpy'][1].tobytes()
        where = python.encode() + numpy + state['torch'].numpy().tobytes()
        line = [runner.iter, hashlib.sha256(where).hexdigest()]
        with open(Path(runner.work_dir) / f'draws{get_rank()}.jsonl', 'a') as file:
            print(json.dumps(line), file=file)
        time.sleep(float(os.environ.get('SECONDS_A_STEP', 0)))


def write_config(name: str, folder: Path) -> Path:
    if name == 'BottomupPoseEstimator':
        path = folder / 'puppets.py'
        path.write_text(PUPPETS)
        return path
    if name == 'TopdownPoseEstimator':
        import tiny_hourglass

        extra = EXTRA.format(steps=STEPS, interval=INTERVAL, hooks=[])
        return tiny_hourglass.write_config(folder, extra=extra, max_iters=STEPS)
    model = dict(tiny_methods.METHODS[name], type=name, test_cfg={})
    labels = [key for key in model['losses'] if key != 'regression']
    model['losses'] = {key: model['losses'][key] for key in labels}
    if 'crop_margin' in model:
        model['crop_margin'] = 4  # these images are smaller
    hooks = []
    if name == 'StableKeypoints':
        hooks = [dict(type='TokenSelectionHook', num_images=7, batch_size=2)]
    extra = EXTRA.format(steps=STEPS, interval=INTERVAL, hooks=hooks)
    preprocessor = "model['data_preprocessor']"
    extra += f'model = dict({model!r}, data_preprocessor={preprocessor})\n'
    keypoints = model['head']['num_keypoints']
    return tiny.write_config(folder, extra=extra, num_keypoints=keypoints)


def train(rank, config, work, *options):
    arguments = (config, '--work-dir', work, '--launcher', 'pytorch', *options)
    tiny.call_tool('train.py', *arguments)


def train_and_go_on(rank, config, work):
    """Train, lose the last checkpoint, resume."""
    train(rank, config, work)
    if rank == 0:
        (work / f'iter_{STEPS}.pth').rename(work / 'whole')
        (work / 'last_checkpoint').unlink()
    distributed.barrier()
    train(rank, config, work, '--resume')


def draws(work, rank):
    lines = (work / f'draws{rank}.jsonl').read_text().splitlines()
    return [tuple(json.loads(line)) for line in lines]


def assert_same_training(whole, resumed):
    left, right = (load_checkpoint_file(path) for path in (whole, resumed))
    assert left['state_dict'].keys() == right['state_dict'].keys()
    for key, value in left['state_dict'].items():
        assert torch.equal(value, right['state_dict'][key]), key
    moments = [each['optimizer']['state'] for each in (left, right)]
    for number, state in moments[0].items():
        for key, value in state.items():
            assert torch.equal(
                torch.as_tensor(value), torch.as_tensor(moments[1][number][key])
            )


@needs_fork
@pytest.mark.slow
def test_going_on_in_another_number_of_processes_is_told(tmp_path):
    config, work = write_config('AutoLink', tmp_path), tmp_path / 'work'
    in_two_processes(train, tmp_path, config, work)
    options = (
        '--resume',
        '--no-validate',
        '--cfg-options',
        f'train_cfg.max_iters={STEPS + 1}',
    )
    tiny.call_tool('train.py', config, '--work-dir', work, *options)
    told = ''.join(path.read_text() for path in work.rglob('*.log'))
    assert 'number of processes was 2 and is 1. They are in effect' in told
    assert (work / f'iter_{STEPS + 1}.pth').exists()


@needs_fork
@pytest.mark.parametrize(
    'name', ['AutoLink', *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
)
class TestEachMethod:
    def test_views_differ_and_resuming_is_exact(self, name, tmp_path):
        config, work = write_config(name, tmp_path), tmp_path / 'work'
        in_two_processes(train_and_go_on, tmp_path, config, work)
        assert_same_training(work / 'whole', work / f'iter_{STEPS}.pth')
        first, second = draws(work, 0), draws(work, 1)
        again = 2 * INTERVAL  # the last checkpoint before the end
        for noted in (first, second):
            numbers = [number for number, _ in noted]
            assert numbers == [*range(STEPS), *range(again, STEPS)]
            assert noted[STEPS:] == noted[again:STEPS]  # the same draws again
        assert not {state for _, state in first} & {state for _, state in second}
        if name == 'StableKeypoints':
            state = load_checkpoint_file(work / f'iter_{STEPS}.pth')['state_dict']
            assert (state['head.token_indices'] >= 0).all()

    @pytest.mark.slow
    def test_the_end_of_one_ends_all_and_the_restart_goes_on(
        self, name, tmp_path, monkeypatch, capfd
    ):
        config, work = write_config(name, tmp_path), tmp_path / 'work'
        whole = tmp_path / 'whole'
        in_two_processes(train, tmp_path, config, whole)
        monkeypatch.setenv('SECONDS_A_STEP', '0.1')
        processes = two_processes(train, tmp_path, (config, work))
        deadline = time.monotonic() + 120
        while not (work / f'iter_{INTERVAL}.pth').exists():
            assert all(p.is_alive() for p in processes)
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(random.Random(time.time_ns()).uniform(0, 0.3))
        victim = random.Random(time.time_ns()).randrange(2)
        os.kill(processes[victim].pid, signal.SIGKILL)
        killed = time.monotonic()
        survivor = processes[1 - victim]
        survivor.join(60)
        seconds = time.monotonic() - killed
        told = capfd.readouterr().err
        print(f'{name}: process {1 - victim} ended {seconds:.1f} s after the other')
        assert survivor.exitcode == 2
        lines = [line for line in told.splitlines() if line.startswith('error: ')]
        assert len(lines) == 1 and 'because another one has ended' in lines[0]
        assert f"'{work}': the same command with --resume" in lines[0]
        monkeypatch.delenv('SECONDS_A_STEP')
        in_two_processes(train, tmp_path, config, work, '--resume')
        final = f'iter_{STEPS}.pth'
        assert_same_training(whole / final, work / final)
