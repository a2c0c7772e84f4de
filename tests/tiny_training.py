"""Trainings in this process or in one that is stopped, compared to the last bit."""

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmkp.engine import find_resumable_checkpoint


class Slow(Hook):
    """Gives the killer time, and tells how many iterations have begun."""

    def before_train_iter(self, runner, *args, **kwargs):
        (Path(runner.work_dir) / 'begun').write_text(str(runner.iter))
        time.sleep(0.04)

    def before_val_iter(self, runner, *args, **kwargs):
        (Path(runner.work_dir) / 'validates').touch()
        time.sleep(0.04)


def train(
    config: Path, work_dir: Path, resume: bool = False, slow: bool = False, **options
):
    """Train in this process; return the runner."""
    torch.set_num_threads(1)
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options)
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = f'{work_dir.name}_{time.monotonic_ns()}'
    cfg.visualizer.name = cfg.experiment_name
    if resume:
        cfg.resume = True
        cfg.load_from = str(find_resumable_checkpoint(work_dir))
    runner = Runner.from_cfg(cfg)
    if slow:
        runner.register_hook(Slow())
    runner.train()
    # Persistent workers left to the garbage collector are waited for, 5 s each.
    runner.train_loop.dataloader._iterator = None
    return runner


def final_tensors(runner: Runner) -> dict:
    """Everything that a training leaves behind, flattened."""
    tensors = dict(runner.model.state_dict())
    for hook in runner.hooks:
        if hasattr(hook, 'ema_model'):
            ema = hook.ema_model.state_dict()
            tensors.update({f'ema.{key}': value for key, value in ema.items()})
    moments = runner.optim_wrapper.optimizer.state_dict()['state']
    for number, state in moments.items():
        tensors.update({f'optim.{number}.{k}': v for k, v in state.items()})
    return tensors


def assert_same_bits(left: dict, right: dict) -> None:
    assert left.keys() == right.keys()
    different = [key for key in left if not torch.equal(left[key], right[key])]
    assert not different, f'{len(different)} of {len(left)} differ: {different[:5]}'


def train_and_signal(
    config: Path,
    work_dir: Path,
    number: int,
    is_time: Callable[[], bool],
    group: bool = False,
    **options,
) -> int:
    """Train in a process of its own group and signal it.

    Args:
        config: of the training.
        work_dir: of the training.
        number: of the signal.
        is_time: asked until it is true.
        group: whether worker processes are signalled as well, as by a terminal.
        **options: overrides of the config.

    Returns:
        The exit status as multiprocessing gives it.
    """

    def run() -> None:
        os.setpgid(0, 0)
        train(config, work_dir, slow=True, **options)

    child = multiprocessing.get_context('fork').Process(target=run)
    child.start()
    deadline = time.monotonic() + 60
    while not is_time():
        assert child.is_alive() and time.monotonic() < deadline
        time.sleep(0.002)
    (os.killpg if group else os.kill)(child.pid, number)
    child.join(60)
    assert not child.is_alive()
    return child.exitcode


def begun(work_dir: Path) -> int:
    """Number of iterations that a slow training has begun, -1 before the first."""
    path = work_dir / 'begun'
    text = path.read_text() if path.is_file() else ''
    return int(text or -1)
