"""A learning rate that falls to its end when the time is up."""

import math

from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmkp.engine.hooks.training_clock import TrainingClock
from mmkp.engine.optimizers import optim_wrappers


@HOOKS.register_module()
class TimedLearningRateHook(TrainingClock):
    """Warms the learning rate up and lowers it by the time that has passed.

    Beside a :class:`TimeLimitHook` of as many seconds it takes the place of the
    schedulers that count iterations: a training on a slow or busy machine makes fewer
    steps, but ends its schedule all the same. As the rates depend on the clock, two
    runs differ, even of one seed. A resumed training
    goes on with its time. Sets, with p = elapsed / seconds,

    * a rise from 0 while p < ``warm_up``,
    * the optimizer's own rates while p < ``hold``,
    * half a cosine from there to ``end_ratio`` of them at p = 1.

    Args:
        seconds: of training.
        warm_up: share of the time.
        hold: share of the time after which the rates fall, from ``warm_up``.
        end_ratio: share of the rates that is left at the end.
        clock: ``'wall'`` or ``'cpu'``, that of the :class:`TimeLimitHook`.

        by_steps: whether p is the share of the steps where that is larger: the
            schedule then ends with the training, whichever ends it.

    Raises:
        ValueError: a share out of its range, ``seconds`` is not positive, or another
            clock.
    """

    # After ParamSchedulerHook, whose rates it replaces.
    priority = 'VERY_LOW'

    def __init__(
        self,
        seconds: float,
        warm_up: float = 0.05,
        hold: float = 0.4,
        end_ratio: float = 0.02,
        clock: str = 'wall',
        by_steps: bool = False,
    ) -> None:
        super().__init__(clock)
        if seconds <= 0:
            raise ValueError(f'seconds must be positive, got {seconds}')
        if not 0 <= warm_up <= hold < 1 or not 0 <= end_ratio <= 1:
            raise ValueError(
                'needs 0 <= warm_up <= hold < 1 and end_ratio in [0, 1], got '
                f'warm_up={warm_up}, hold={hold}, end_ratio={end_ratio}'
            )
        self.seconds = seconds
        self.warm_up = warm_up
        self.hold = hold
        self.end_ratio = end_ratio
        self.by_steps = by_steps

    def factor(self, progress: float) -> float:
        """Share of the optimizer's rates at a share of the time, both from 0 to 1."""
        if progress < self.warm_up:
            return progress / self.warm_up
        falling = min(max(progress - self.hold, 0) / (1 - self.hold), 1)
        cosine = (1 + math.cos(math.pi * falling)) / 2
        return self.end_ratio + (1 - self.end_ratio) * cosine

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None
    ) -> None:
        """Set the rates of this iteration.

        Args:
            runner: the runner of the training.
            batch_idx: not used.
            data_batch: not used.
        """
        share = self.elapsed / self.seconds
        if self.by_steps:
            share = max(share, runner.iter / runner.max_iters)
        factor = self.factor(share)
        for steps in optim_wrappers(runner.optim_wrapper).values():
            for group in steps.param_groups:
                group['lr'] = factor * group.setdefault('initial_lr', group['lr'])
