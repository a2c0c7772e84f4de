# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Train a detector on labels, with its own losses on images without."""

import shutil
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from mmkp.engine.resume import find_resumable_checkpoint

TUNED = 'fine_tuned.pth'


def fine_tune(
    cfg: Config, checkpoint: Path, folder: Path, minutes: float, clock: str = 'wall'
) -> Path:
    """Train a named model for some minutes.

    Args:
        cfg: from :func:`mmkp.engine.named_model.named_config`.
        checkpoint: where it starts from.
        folder: of the run; gets ``training/`` and ``fine_tuned.pth``.
        minutes: of training.
        clock: ``'wall'`` or ``'cpu'``, by which they are counted.

    Returns:
        The written checkpoint.

    Raises:
        ValueError: the config trains on nothing.
    """
    if not cfg.get('train_dataloader'):
        raise ValueError('the run has no train_dataloader to fine-tune with')
    training, limit = cfg.copy(), dict(seconds=60 * minutes, clock=clock)
    training.work_dir = str(folder / 'training')
    training.load_from = str(checkpoint)
    training.test_dataloader = training.test_cfg = training.test_evaluator = None
    training.train_cfg = dict(type='IterBasedTrainLoop', max_iters=10**6)
    training.param_scheduler = None
    training.custom_hooks = _at_the_end(training)
    training.default_hooks.time_limit = dict(type='TimeLimitHook', **limit)
    training.default_hooks.timed_rate = dict(type='TimedLearningRateHook', **limit)
    training.default_hooks.pop('discovery', None)
    training.default_hooks.pop('untrained_control', None)
    training.log_level = 'WARNING'
    runner = Runner.from_cfg(training)
    runner.train()
    found = find_resumable_checkpoint(folder / 'training')
    assert found is not None  # the training writes one when its time is up
    shutil.copyfile(found, folder / TUNED)
    return folder / TUNED


def _at_the_end(training: Config) -> list[dict]:
    """Hooks without schedules of losses, which keep the weights that they end with."""
    kept = []
    for hook in training.get('custom_hooks') or ():
        if hook['type'] != 'LossWeightSchedule':
            kept.append(hook)
            continue
        for name, weights in hook['losses'].items():
            training.model.losses[name].loss_weight = weights[max(weights)]
    return kept
