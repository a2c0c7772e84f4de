# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""One model for tests and checkpoints, where each process has statistics of its own."""

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmpose.registry import HOOKS
from torch import Tensor

from mmkp.engine.loop_state import bare_model


@HOOKS.register_module()
class AverageStatisticsHook(Hook):
    """Tests and saves the mean of all processes' running means and variances.

    Batch normalization keeps statistics of the images of its own process. MMEngine's
    ``SyncBuffersHook`` averages all buffers before a validation, after the checkpoint
    of the same step has been written, and the training goes on with them. Here the
    checkpoint holds the averages with which the validation is made, and the training
    goes on as it does without either. With one process nothing is done.
    """

    # After EMAHook has put its averaged weights in.
    priority = 'LOW'

    def __init__(self) -> None:
        self._averages: dict[str, Tensor] = {}
        self._own: dict[str, Tensor] = {}

    @torch.no_grad()
    def before_val_epoch(self, runner: Runner) -> None:
        """Put the averages in.

        Args:
            runner: the runner of the training.
        """
        if not runner.distributed or not isinstance(runner._train_loop, BaseLoop):
            return
        self.before_checkpoint_on_all_ranks(runner)
        found = _statistics(runner)
        self._own = {name: value.clone() for name, value in found.items()}
        for name, value in self._averages.items():
            found[name].copy_(value)

    @torch.no_grad()
    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Put the statistics of this process back.

        Args:
            runner: the runner of the training.
            metrics: not used.
        """
        found = _statistics(runner)
        for name, value in self._own.items():
            found[name].copy_(value)
        self._own = {}

    @torch.no_grad()
    def before_checkpoint_on_all_ranks(self, runner: Runner) -> None:
        """Average, called by AtomicCheckpointHook."""
        if not runner.distributed:
            return
        self._averages = {}
        for name, value in _statistics(runner).items():
            self._averages[name] = value.clone()
            all_reduce(self._averages[name], 'mean')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Let the checkpoint hold the averages.

        Args:
            runner: the runner of the training.
            checkpoint: its ``state_dict`` gets them.
        """
        state = checkpoint['state_dict']
        for name, value in self._averages.items():
            state[name] = value.to(state[name])


def _statistics(runner: Runner) -> dict[str, Tensor]:
    """Running means and variances by their names."""
    return {
        name: buffer
        for name, buffer in bare_model(runner).named_buffers()
        if name.endswith(('running_mean', 'running_var'))
    }
