"""A training killed at any moment and resumed ends with the same bits."""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest
import tiny
from tiny_training import assert_same_bits, final_tensors, train

EMA = """
custom_hooks = [dict(type='EMAHook', momentum=0.1)]
default_hooks['checkpoint'].update(save_best='tiny/spread', rule='less')
"""
BY_EPOCH = """
train_cfg = dict(by_epoch=True, max_epochs=4, val_interval=1)
train_dataloader['sampler'] = dict(type='DefaultSampler', shuffle=True)
default_hooks['checkpoint'] = dict(by_epoch=True, interval=1)
param_scheduler = [dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=6)]
"""
# The demo's second training, in small.
PUPPETS = f"""
_base_ = '{tiny.TOOLS.parent}/configs/body_2d_keypoint/openpose/puppets/\
openpose_res18-w25_puppets-128x128.py'
train_dataloader = dict(batch_size=2)
val_dataloader = dict(dataset=dict(num_images=2))
param_scheduler = dict(end=5)
train_cfg = dict(max_iters=8, val_interval=4)
default_hooks = dict(checkpoint=dict(interval=3), logger=dict(interval=2))
randomness = dict(seed=1)
"""
FINITE = """
train_dataloader['sampler'] = dict(type='DefaultSampler', shuffle=True)
"""


def train_and_die(config: Path, work_dir: Path, delay: float) -> None:
    """Train in a child process; SIGKILL it some time after its first checkpoint."""
    child = multiprocessing.get_context('fork').Process(
        target=train, args=(config, work_dir), kwargs=dict(slow=True)
    )
    child.start()
    deadline = time.monotonic() + 60
    while not (work_dir / 'iter_3.pth').exists():
        assert child.is_alive() and time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(delay)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode == -signal.SIGKILL


@pytest.mark.parametrize('num_workers', [0, 2])
def test_killed_and_resumed_training_equals_uninterrupted_one(tmp_path, num_workers):
    config = tiny.write_config(tmp_path, extra=EMA, num_workers=num_workers)
    whole = train(config, tmp_path / 'whole')
    moment = random.Random(time.time_ns()).uniform(0, 0.35)
    print(f'killed {moment:.3f} s after the first checkpoint')
    train_and_die(config, tmp_path / 'killed', moment)
    resumed = train(config, tmp_path / 'killed', resume=True)
    assert resumed.iter == whole.iter == 14
    assert_same_bits(final_tensors(whole), final_tensors(resumed))


def test_killed_and_resumed_part_affinity_training(tmp_path):
    config = tmp_path / 'puppets.py'
    config.write_text(PUPPETS)
    whole = train(config, tmp_path / 'whole')
    train_and_die(config, tmp_path / 'killed', 0.1)
    resumed = train(config, tmp_path / 'killed', resume=True)
    assert resumed.iter == whole.iter == 8
    assert_same_bits(final_tensors(whole), final_tensors(resumed))


@pytest.mark.parametrize(
    'extra, num_workers, persistent',
    [
        (BY_EPOCH, 0, False),
        (BY_EPOCH, 2, False),
        (BY_EPOCH, 2, True),
        (FINITE, 2, False),
    ],
)
def test_other_loops_and_samplers(tmp_path, extra, num_workers, persistent):
    options = {'train_dataloader.persistent_workers': persistent}
    config = tiny.write_config(
        tmp_path, extra=extra, num_workers=num_workers, seed=None
    )
    whole = train(config, tmp_path / 'whole', **options)
    for path in sorted((tmp_path / 'whole').glob('*.pth'))[1:]:
        path.unlink()
    (tmp_path / 'whole' / 'last_checkpoint').unlink()
    resumed = train(config, tmp_path / 'whole', resume=True, **options)
    assert resumed.iter == whole.iter
    assert_same_bits(final_tensors(whole), final_tensors(resumed))


@pytest.mark.parametrize('rule', ['less', 'greater'])
def test_checkpoint_of_a_validated_iteration(tmp_path, rule):
    # Written before the validation, and again within it when it was the best so far.
    extra = f"""
default_hooks['checkpoint'] = dict(interval=4, save_best='tiny/spread', rule={rule!r})
"""
    config = tiny.write_config(tmp_path, extra=extra, max_iters=10)
    whole = train(config, tmp_path / 'work')
    for name in ('iter_10.pth', 'last_checkpoint'):
        (tmp_path / 'work' / name).unlink()
    resumed = train(config, tmp_path / 'work', resume=True)
    assert_same_bits(final_tensors(whole), final_tensors(resumed))


def test_validation_does_not_change_the_training(tmp_path):
    config = tiny.write_config(tmp_path)
    validated = train(config, tmp_path / 'a')
    not_validated = train(
        config, tmp_path / 'b', val_cfg=None, val_dataloader=None, val_evaluator=None
    )
    assert_same_bits(final_tensors(validated), final_tensors(not_validated))
