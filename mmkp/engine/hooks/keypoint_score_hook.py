# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A training that is scored without labels, stops in time, and keeps its best."""

from pathlib import Path

import numpy as np
from mmengine.dist import broadcast, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from mmpose.registry import HOOKS
from torch import tensor

from mmkp.engine.loop_state import bare_model
from mmkp.engine.random_state import get_random_state, set_random_state
from mmkp.engine.selected_keypoints import write_selected
from mmkp.evaluation.functional import choose_keypoints
from mmkp.evaluation.score_keypoints import (
    UPRIGHT,
    MeasuredKeypoints,
    measure_keypoints,
)

_KEY = 'keypoint_score'


@HOOKS.register_module()
class KeypointScoreHook(Hook):
    """Scores the keypoints during a training, and stops it when they no longer rise.

    The score of :func:`mmkp.evaluation.score_keypoints.score_keypoints` needs no
    labels. It is logged as ``keypoint_score``, on training images, whose pipeline is
    that of tests or makes images of one size. Scores and how long they have not risen
    are kept in checkpoints, and a resumed training goes on with them.

    Args:
        interval: number of iterations between two scores.
        patience: number of scores in a row that are no higher than the best before them
            by ``min_rise``, after which the training stops; None never stops.
        min_rise: what counts as higher.
        num_images: number of training images, evenly spaced.
        keep: after the training, write a model into ``selected`` of the work directory
            that predicts only so many keypoints, the best that lie apart; None writes
            none. See :func:`mmkp.evaluation.functional.choose_keypoints`.
        rotation_std: of the score's warps in degrees, see :func:`score_keypoints`.

    Raises:
        ValueError: a number below 1, or, before the training, a model that discovers no
            keypoints or fewer than are to be kept.
        TypeError: the training is by epoch.
    """

    # Before the hooks that ask whether this is the last iteration.
    priority = 'HIGH'

    def __init__(
        self,
        interval: int = 200,
        patience: int | None = 3,
        min_rise: float = 0.01,
        num_images: int = 64,
        keep: int | None = None,
        rotation_std: float = UPRIGHT,
    ) -> None:
        for name, value in (
            ('interval', interval),
            ('patience', patience),
            ('num_images', num_images),
            ('keep', keep),
        ):
            if value is not None and value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}')
        self.interval, self.patience, self.min_rise = interval, patience, min_rise
        self.num_images, self.keep, self.rotation_std = num_images, keep, rotation_std
        self._best, self._waited = 0.0, 0

    def before_train(self, runner: Runner) -> None:
        """Refuse what cannot be scored, before the first step.

        Args:
            runner: the runner of the training.
        """
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            raise TypeError('KeypointScoreHook needs iteration-based training')
        model = bare_model(runner)
        if not hasattr(model, 'detect'):
            raise ValueError(
                f'{type(model).__name__} discovers no keypoints to score: take '
                'KeypointScoreHook out of custom_hooks'
            )
        if self.keep is not None and self.keep > model.num_keypoints:
            raise ValueError(
                f'keep={self.keep} of KeypointScoreHook, but the model has '
                f'{model.num_keypoints} keypoints: raise num_keypoints'
            )

    def after_train_iter(self, runner: Runner, *args: object, **kwargs: object) -> None:
        """Score, and make this iteration the last one where scores do not rise."""
        done = runner.iter + 1
        if done % self.interval or done >= runner.max_iters:
            return
        stop = tensor(0)
        if is_main_process():
            scores = self._measure(runner).scores()
            runner.message_hub.update_scalar(f'train/{_KEY}', scores.score)
            runner.logger.info(f'iteration {done}, {scores.sentence()}')
            stop = tensor(int(self._has_settled(scores.score)))
        if runner.distributed:
            stop = stop.to(next(runner.model.parameters()).device)
            broadcast(stop)
        if stop:
            runner.logger.info(
                f'the score has not risen above {self._best:.2f} in {self.patience} '
                'scores: this is the last iteration'
            )
            runner.train_loop._max_iters = done

    def _has_settled(self, score: float) -> bool:
        """Take a score up; whether enough have come without a rise."""
        rises = score > self._best + self.min_rise
        self._best = max(self._best, score)
        self._waited = 0 if rises else self._waited + 1
        return self.patience is not None and self._waited >= self.patience

    def after_train(self, runner: Runner) -> None:
        """Write a model of the best keypoints, where that is asked for."""
        if self.keep is None or not is_main_process():
            return
        found = self._measure(runner)
        scores = found.scores()
        kept = choose_keypoints(scores.scores, found.keypoints, self.keep)
        last = runner.message_hub.runtime_info.get('last_ckpt')
        if last is None or not Path(last).is_file():
            runner.logger.warning('there is no checkpoint to take keypoints out of')
            return
        folder = Path(runner.work_dir) / 'selected'
        path = write_selected(runner.cfg, last, kept.tolist(), folder)
        runner.logger.info(f'{scores.sentence()}; {kept.tolist()} are kept in {path}')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the best score, and how long none was higher."""
        checkpoint[_KEY] = dict(best=self._best, waited=self._waited)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take up the scores of a checkpoint that is resumed from."""
        if runner._resume and _KEY in checkpoint:
            found = checkpoint[_KEY]
            self._best, self._waited = found['best'], found['waited']

    def _measure(self, runner: Runner) -> MeasuredKeypoints:
        """What the model does on training images, without a trace in the training."""
        model, dataset = bare_model(runner), runner.train_dataloader.dataset
        number = min(self.num_images, len(dataset))
        places = np.linspace(0, len(dataset) - 1, number).round().astype(int)
        state, training = get_random_state(), model.training
        model.eval()
        try:
            images = (dataset[int(at)] for at in places)
            return measure_keypoints(model, images, rotation_std=self.rotation_std)
        finally:
            model.train(training)
            set_random_state(state)
