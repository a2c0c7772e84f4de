# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The time that a training has taken, over all its runs."""

import time

from mmengine.hooks import Hook
from mmengine.runner import Runner

_KEY = 'training_seconds'


class TrainingClock(Hook):
    """A hook that knows for how long its training has run, validation included.

    Checkpoints hold the time, and a resumed training goes on with it.
    """

    _start = 0.0
    _used = 0.0  # by what is resumed

    @property
    def elapsed(self) -> float:
        """Seconds since the training began, without those between its runs."""
        return time.monotonic() - self._start

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self._start = time.monotonic() - self._used

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the seconds that were used to a checkpoint."""
        checkpoint[_KEY] = self.elapsed

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take up the clock of a checkpoint that is resumed from."""
        if runner._resume:
            self._used = float(checkpoint.get(_KEY, 0.0))
