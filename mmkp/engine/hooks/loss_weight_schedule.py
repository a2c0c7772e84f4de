# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Weights of losses that change at given iterations."""

from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import nn

from mmkp.engine.loop_state import bare_model

Steps = Mapping[int, float] | Iterable[tuple[int, float]]


@HOOKS.register_module()
class LossWeightSchedule(Hook):
    """Steps the weights of losses by iteration, as LMDIS does.

    For the reconstruction of LMDIS on faces with 10 keypoints (Zhang et al., CVPR
    2018)::

        custom_hooks = [dict(type='LossWeightSchedule', losses=dict(
            reconstruction={0: 0.1, 100000: 1.0, 200000: 10.0}))]

    A weight holds from its iteration, counted from 0, until the next one; before the
    first, the weight of the config holds. It replaces ``loss_weight`` of the loss and
    depends on the iteration alone, so a resumed training has the weights of an
    uninterrupted one. Each change is logged.

    Args:
        losses: name of the loss in the model's ``losses`` -> its steps, a mapping from
            iteration to weight or pairs of the two.

    Raises:
        ValueError: no steps, an iteration below 0 or twice, or a weight below 0.
    """

    priority = 'NORMAL'

    def __init__(self, losses: Mapping[str, Steps]) -> None:
        if not losses:
            raise ValueError(
                'LossWeightSchedule has no losses: name at least one, e.g. '
                'losses=dict(reconstruction={0: 0.1, 100000: 1.0})'
            )
        self.losses = {
            name: _sorted_steps(name, given) for name, given in losses.items()
        }

    def before_train(self, runner: Runner) -> None:
        """Set the weights with which the training begins or goes on.

        Args:
            runner: the runner of the training.

        Raises:
            ValueError: the model has no such loss, or it has no ``loss_weight``.
        """
        self._set(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Set the weights of this iteration.

        Args:
            runner: the runner of the training.
            batch_idx: not used.
            data_batch: not used.
        """
        self._set(runner)

    def weight_at(self, name: str, iteration: int) -> float | None:
        """Weight of a loss at an iteration.

        Args:
            name: of the loss.
            iteration: number of iterations that were made before, from 0.

        Returns:
            The weight, or None before the first step.
        """
        weight = None
        for begin, value in self.losses[name]:
            if begin <= iteration:
                weight = value
        return weight

    def _set(self, runner: Runner) -> None:
        for name in self.losses:
            weight = self.weight_at(name, runner.iter)
            loss = self._loss(runner, name)
            if weight is not None and weight != loss.loss_weight:
                runner.logger.info(
                    f'Weight of loss {name!r}: {loss.loss_weight:g} -> {weight:g} at '
                    f'iteration {runner.iter}'
                )
                loss.loss_weight = weight

    @staticmethod
    def _loss(runner: Runner, name: str) -> Any:
        model = bare_model(runner)
        losses = getattr(model, 'losses', None)
        if not isinstance(losses, nn.ModuleDict):
            raise ValueError(
                f'LossWeightSchedule finds no `losses` in {type(model).__name__}: it '
                'works with unsupervised models, whose config has `losses`'
            )
        if name not in losses:
            raise ValueError(
                f'LossWeightSchedule has steps for loss {name!r}, but the model has '
                f'only {sorted(losses)}: correct the name or remove it'
            )
        if not hasattr(losses[name], 'loss_weight'):
            raise ValueError(
                f'LossWeightSchedule cannot weigh loss {name!r}: '
                f'{type(losses[name]).__name__} has no `loss_weight`'
            )
        return losses[name]


def _sorted_steps(name: str, given: Steps) -> list[tuple[int, float]]:
    """Steps in the order of their iterations, checked."""
    pairs = given.items() if isinstance(given, Mapping) else given
    steps = sorted((int(begin), float(weight)) for begin, weight in pairs)
    iterations = [begin for begin, _ in steps]
    if not steps or iterations[0] < 0 or len(set(iterations)) < len(iterations):
        raise ValueError(
            f'steps of loss {name!r} need iterations from 0, each once, got '
            f'{iterations}'
        )
    if not all(weight >= 0 for _, weight in steps):
        raise ValueError(f'weights of loss {name!r} must not be negative, got {steps}')
    return steps
