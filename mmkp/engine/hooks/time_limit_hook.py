"""A training that ends in time."""

from mmengine.dist import broadcast
from mmengine.runner import IterBasedTrainLoop, Runner
from mmpose.registry import HOOKS
from torch import tensor

from mmkp.engine.hooks.training_clock import TrainingClock


@HOOKS.register_module()
class TimeLimitHook(TrainingClock):
    """Makes the current iteration the last one when the time is up.

    The last iteration is treated like any other training's: its checkpoint is saved
    and validated. For iteration-based training; schedules that depend on the number
    of iterations are cut off. A resumed training has the time that was left.

    Args:
        seconds: of training, validation included.
        clock: ``'wall'`` or ``'cpu'``, see :class:`TrainingClock`.

    Raises:
        ValueError: ``seconds`` is not positive, or the clock is another one.
        TypeError: the training is by epoch.
    """

    # Before the hooks that ask whether this is the last iteration.
    priority = 'HIGH'

    def __init__(self, seconds: float, clock: str = 'wall') -> None:
        super().__init__(clock)
        if seconds <= 0:
            raise ValueError(f'seconds must be positive, got {seconds}')
        self.seconds = seconds

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            raise TypeError('TimeLimitHook needs iteration-based training')
        super().before_train(runner)
        if self._used >= self.seconds:
            runner.train_loop._max_iters = min(runner.max_iters, runner.iter)

    def after_train_iter(self, runner: Runner, *args: object, **kwargs: object) -> None:
        """End the training when the time is up, in all processes at once."""
        is_up = tensor(int(self.elapsed >= self.seconds))
        if runner.distributed:
            is_up = is_up.to(next(runner.model.parameters()).device)
            broadcast(is_up)
        if is_up and runner.iter + 1 < runner.max_iters:
            runner.logger.info(f'{self.seconds:.0f} s are over: this is the last one')
            runner.train_loop._max_iters = runner.iter + 1
