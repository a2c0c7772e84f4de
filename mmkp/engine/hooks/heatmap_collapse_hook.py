# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A warning when a training has settled on predicting nothing."""

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import Tensor

from mmkp.engine.optimizers import optim_wrappers

_KEY = 'heatmap_collapse'
_REMEDIES = (
    'Things to try: a lower learning rate or a longer warm-up; {of_config}'
    'a larger sigma or a higher weight of the pixels of the target; larger batches, as '
    'batch normalisation learns little from one image. Check the data: keypoints have '
    'to lie in the crops (tools/misc/browse_dataset.py shows them), and pixels of the '
    'input range from 0 to 1 or be normalised.'
)


@HOOKS.register_module()
class HeatmapCollapseHook(Hook):
    """Warns when the predicted heatmaps stay flat.

    Almost all pixels of a target heatmap are 0, so a network that predicts 0
    everywhere has a small squared error. Some trainings fall into that state and
    never leave it, while their loss looks fine. The peaks tell: those of the targets
    are 1.

    Peaks stay on the device until ``interval`` of them are looked at together, so
    nothing waits for the GPU in between. Where the training stands is kept in the
    checkpoints and taken up when one is resumed.

    Args:
        patience: number of iterations in a row below the threshold before the warning.
        threshold: peaks below it are flat; peaks of targets are 1.
        begin: iterations at the start of the training that do not count, as every
            network starts flat.
        repeat: number of iterations before the warning is given again while it lasts.
        interval: number of iterations between two looks at the peaks.
        log_key: which of the values that the model reports is the mean over the
            heatmaps of their maximum.

    Raises:
        ValueError: ``patience``, ``repeat`` or ``interval`` below 1, ``begin`` below
            0, or a threshold that is not positive.
    """

    # Before the checkpoint of the same iteration, with the state in it.
    priority = 'NORMAL'

    def __init__(
        self,
        patience: int = 200,
        threshold: float = 0.05,
        begin: int = 500,
        repeat: int = 1000,
        interval: int = 20,
        log_key: str = 'heatmap_peak',
    ) -> None:
        lowest = dict(patience=1, repeat=1, interval=1, begin=0)
        given = dict(patience=patience, repeat=repeat, interval=interval, begin=begin)
        for name, least in lowest.items():
            if given[name] < least:
                raise ValueError(f'{name} must be at least {least}, got {given[name]}')
        if not threshold > 0:
            raise ValueError(f'threshold must be positive, got {threshold}')
        self.patience, self.threshold, self.begin = patience, threshold, begin
        self.repeat, self.interval, self.log_key = repeat, interval, log_key
        # Iterations, from 1, and their peaks, not looked at yet and on the device.
        self._peaks: list[tuple[int, Tensor]] = []
        self._low = 0  # iterations in a row below the threshold
        self._warned: int | None = None  # iteration of the last warning, if it lasts

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Keep the peak of this iteration, and look at the last ones at times.

        Args:
            runner: the runner of the training.
            batch_idx: not used.
            data_batch: not used.
            outputs: values that the training step reports, with ``log_key``: a tensor
                of one number.

        Raises:
            ValueError: the model reports no such value.
        """
        if not outputs or self.log_key not in outputs:
            raise ValueError(
                f"HeatmapCollapseHook finds no '{self.log_key}' among what the model "
                f'reports, {sorted(outputs or ())}: StackedHourglassHead has it; '
                'for another head remove the hook or name its value with log_key'
            )
        peak = torch.as_tensor(outputs[self.log_key]).detach()
        self._peaks.append((runner.iter + 1, peak))
        if len(self._peaks) >= self.interval:
            self._look(runner)

    def after_train(self, runner: Runner) -> None:
        """Look at the last peaks."""
        self._look(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add where the training stands to a checkpoint.

        Args:
            runner: the runner of the training.
            checkpoint: gets ``heatmap_collapse``: ``low`` and ``warned``.
        """
        self._look(runner)
        checkpoint[_KEY] = dict(low=self._low, warned=self._warned)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take up the state of a checkpoint that is resumed from."""
        if runner._resume and _KEY in checkpoint:
            self._low = checkpoint[_KEY]['low']
            self._warned = checkpoint[_KEY]['warned']

    def _look(self, runner: Runner) -> None:
        """Judge the peaks that were kept, in one transfer from the device."""
        if not self._peaks:
            return
        iterations, peaks = zip(*self._peaks, strict=True)
        self._peaks = []
        values = torch.stack([peak.float().mean() for peak in peaks]).tolist()
        for iteration, value in zip(iterations, values, strict=True):
            self._judge(runner, iteration, value)

    def _judge(self, runner: Runner, iteration: int, value: float) -> None:
        if not math.isfinite(value):
            self._warn(
                runner,
                iteration,
                f'The heatmaps are no longer finite: {self.log_key} is {value} at '
                f'iteration {iteration}. The training will not recover: resume '
                'from an earlier checkpoint, with a lower learning rate or with '
                'clipped gradients, and in full precision if it was half.',
            )
        elif iteration <= self.begin:
            return
        elif value >= self.threshold:
            self._recover(runner, iteration, value)
        else:
            self._low += 1
            if self._low >= self.patience:
                self._warn(runner, iteration, self._flat(runner, iteration, value))

    def _flat(self, runner: Runner, iteration: int, value: float) -> str:
        return (
            f'The heatmaps may have collapsed: {self.log_key} is {value:.4f} at '
            f'iteration {iteration} and has been below {self.threshold:g} for '
            f'{self._low} iterations (targets have peaks of 1). '
            + _REMEDIES.format(of_config=_remedies_of(runner))
        )

    def _warn(self, runner: Runner, iteration: int, message: str) -> None:
        if self._warned is None or iteration - self._warned >= self.repeat:
            runner.logger.warning(message)
            self._warned = iteration

    def _recover(self, runner: Runner, iteration: int, value: float) -> None:
        if self._warned is not None:
            runner.logger.info(
                f'The heatmaps have peaks again: {self.log_key} is {value:.4f} at '
                f'iteration {iteration}, threshold {self.threshold:g}.'
            )
        self._low, self._warned = 0, None


def _remedies_of(runner: Runner) -> str:
    """What to change in this config, where it has it."""
    found = []
    wrappers = optim_wrappers(getattr(runner, 'optim_wrapper', None))
    kinds = {type(steps.optimizer).__name__ for steps in wrappers.values()}
    if 'RMSprop' in kinds:
        found.append('Adam instead of RMSprop; ')
    model = getattr(runner, 'model', None)
    head = getattr(getattr(model, 'module', model), 'head', None)
    if getattr(head, 'stack_reduction', 'sum') != 'sum':
        found.append(
            'the sum over the stacks instead of their mean '
            "(model.head.stack_reduction='sum'); "
        )
    return ''.join(found)
