"""A training that stops at its first loss that is no number."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import Tensor

from mmkp.engine.non_finite import (
    image_files,
    loss_error,
    non_finite_names,
    raise_if_no_step_counts,
    raise_if_not_finite,
    scales_losses,
    weights_error,
)

# Number, losses and image files of steps.
Steps = list[tuple[int, dict[str, Tensor], list[str]]]


@HOOKS.register_module()
class FiniteTrainingHook(Hook):
    """Stops at the first loss, gradient or weight that is NaN or infinite.

    The error names the step, the losses, the images of the batch, the last good
    checkpoint and what to change. Looked at are the losses, the norm of the gradients
    where they are clipped, trained parameters and running statistics: after each step
    on a CPU, so that the training stops at the very step; on a GPU after ``interval``
    steps together, so that it waits for the GPU rarely. Before a checkpoint is written
    everything in it is looked at: all parameters, buffers and the optimizer's state.

    With a loss scaler (AMP in float16) infinite gradients are usual, and such a step is
    left out; a loss is not, nor are dozens of such steps in a row.

    Args:
        interval: number of steps between two looks on a GPU.

    Raises:
        ValueError: ``interval`` below 1.
    """

    # Before anything of the same iteration is logged or saved.
    priority = 'VERY_HIGH'

    def __init__(self, interval: int = 10) -> None:
        if interval < 1:
            raise ValueError(f'interval must be at least 1, got {interval}')
        self.interval = interval
        # Number, losses and image files of the steps not looked at yet.
        self._steps: Steps = []

    def before_train(self, runner: Runner) -> None:
        """Refuse to start from weights that are not finite.

        Args:
            runner: the runner of the training.

        Raises:
            NonFiniteError: there are some, of a checkpoint for example.
        """
        self._steps = []
        raise_if_not_finite(runner, runner.iter)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Look at the losses of this step, or keep them for the next look.

        Args:
            runner: the runner of the training.
            batch_idx: not used.
            data_batch: its images are named.
            outputs: losses of the step, tensors of one number.

        Raises:
            NonFiniteError: one is not finite.
        """
        losses = {
            name: value.detach()
            for name, value in (outputs or {}).items()
            if isinstance(value, Tensor) and 'loss' in name
        }
        self._steps.append((runner.iter + 1, losses, image_files(data_batch)))
        on_cpu = all(value.device.type == 'cpu' for value in losses.values())
        if on_cpu or len(self._steps) >= self.interval:
            self._look(runner)

    def after_train(self, runner: Runner) -> None:
        """Look at the last steps, which no checkpoint may follow."""
        self._look(runner)

    def before_checkpoint_on_all_ranks(self, runner: Runner) -> None:
        """Look before anything is saved, called by AtomicCheckpointHook."""
        self._look(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Look before anything is saved, whoever saves it.

        Args:
            runner: the runner of the training.
            checkpoint: not used.

        Raises:
            NonFiniteError: losses or weights are not finite.
        """
        self._look(runner)
        raise_if_not_finite(runner, runner.iter)

    def _look(self, runner: Runner) -> None:
        steps, self._steps = self._steps, []
        if not steps:
            return
        for number, values, files in _non_finite(steps):
            raise loss_error(runner, number, values, files)
        self._look_at_gradients(runner, steps)
        if names := non_finite_names(runner.model, trained_only=True):
            numbers = [number for number, _, _ in steps]
            files = [file for _, _, some in steps for file in some]
            raise weights_error(runner, numbers, names, files)
        raise_if_no_step_counts(runner, steps[-1][0])

    def _look_at_gradients(self, runner: Runner, steps: Steps) -> None:
        history = runner.message_hub.log_scalars.get('train/grad_norm')
        if history is not None and not scales_losses(runner):
            norm = float(history.current())
            if not math.isfinite(norm):
                number, _, files = steps[-1]
                values = {'the norm of the gradients': norm}
                raise loss_error(runner, number, values, files)


def _non_finite(
    steps: Steps,
) -> Iterator[tuple[int, dict[str, float], list[str]]]:
    """Steps with a loss that is not finite, seen in one transfer from the device."""
    means = [
        value.float().mean() for _, losses, _ in steps for value in losses.values()
    ]
    told = iter(torch.stack(means).tolist() if means else [])
    for number, losses, files in steps:
        # Other values, such as accuracies, may be NaN where nothing can be measured.
        values = {name: next(told) for name in losses}
        wrong = {name: v for name, v in values.items() if not math.isfinite(v)}
        if wrong:
            yield number, wrong, files
