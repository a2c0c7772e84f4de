# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The time that a training has taken, over all its runs."""

import time

from mmengine.hooks import Hook
from mmengine.runner import Runner

_KEY = 'training_seconds'
#: What all threads of the training computed, by whatever clock a hook goes.
CPU_KEY = 'training_cpu_seconds'


class TrainingClock(Hook):
    """A hook that knows for how long its training has run, validation included.

    Checkpoints hold the time, and a resumed training goes on with it. By each clock
    they hold the CPU seconds, too.

    Args:
        clock: ``'wall'``, the seconds that pass, or ``'cpu'``, those that all threads
            of this process compute, which compare trainings on a busy machine; worker
            processes of loaders are not counted.

    Raises:
        ValueError: another clock.
    """

    clock = 'wall'
    _start = 0.0
    _used = 0.0  # by what is resumed
    _cpu_start = _cpu_used = 0.0

    def __init__(self, clock: str = 'wall') -> None:
        if clock not in ('wall', 'cpu'):
            raise ValueError(f"clock must be 'wall' or 'cpu', got {clock!r}")
        self.clock = clock

    def _now(self) -> float:
        return time.process_time() if self.clock == 'cpu' else time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the training began, without those between its runs."""
        return self._now() - self._start

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self._start = self._now() - self._used
        self._cpu_start = time.process_time() - self._cpu_used

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the seconds that were used to a checkpoint."""
        checkpoint[_KEY] = self.elapsed
        checkpoint[CPU_KEY] = time.process_time() - self._cpu_start

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take up the clock of a checkpoint that is resumed from."""
        if runner._resume:
            self._used = float(checkpoint.get(_KEY, 0.0))
            self._cpu_used = float(checkpoint.get(CPU_KEY, 0.0))
