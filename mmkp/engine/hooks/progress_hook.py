"""One line that tells how far a training is."""

import sys
import time

from mmengine.dist import is_main_process
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmkp.engine.hooks.training_clock import TrainingClock


@HOOKS.register_module()
class ProgressHook(TrainingClock):
    """Prints elapsed and remaining time, iterations and loss to standard error.

    On a terminal one line is rewritten, elsewhere a line is added now and then. A
    resumed training goes on with the time of its checkpoint.

    Args:
        seconds: time limit of the training; the share done is that of the time or of
            the iterations, whichever is larger.
        pause: between two lines, in seconds, where there is no terminal; None for no
            lines there.
    """

    priority = 'LOW'

    def __init__(
        self, seconds: float | None = None, pause: float | None = 15.0
    ) -> None:
        self.seconds = seconds
        self._on_terminal = sys.stderr.isatty()
        self._pause = 0.5 if self._on_terminal else pause
        self._told = 0.0
        self._first = 0  # iteration of this run

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        super().before_train(runner)
        self._told = time.monotonic()
        self._first = runner.iter

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: dict | None = None,
    ) -> None:
        """Tell, unless it has just been told.

        Args:
            runner: the runner of the training.
            batch_idx: not used.
            data_batch: not used.
            outputs: with ``loss``.
        """
        now = time.monotonic()
        done, elapsed = runner.iter + 1, self.elapsed
        last = done >= runner.max_iters
        if self._pause is None or not is_main_process():
            return
        if not last and now - self._told < self._pause:
            return
        self._told = now
        share = done / runner.max_iters
        if self.seconds and not last:
            share = max(share, min(elapsed / self.seconds, 0.99))
        line = f'  training {share:4.0%}  {_clock(elapsed)}  iteration {done}'
        if not last:
            line += f'  {_clock(self._remaining(done, elapsed, runner))} left'
        if outputs and 'loss' in outputs:
            line += f'  loss {outputs["loss"].item():.3g}'
        end = '\r' if self._on_terminal and not last else '\n'
        print(f'{line}   ', end=end, file=sys.stderr, flush=True)

    def _remaining(self, done: int, elapsed: float, runner: Runner) -> float:
        """Seconds that are left, by the steps of this run and the time limit."""
        pace = (elapsed - self._used) / (done - self._first)
        remaining = pace * (runner.max_iters - done)
        return (
            min(remaining, max(self.seconds - elapsed, 0))
            if self.seconds
            else remaining
        )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    start = f'{hours}:{minutes:02d}' if hours else f'{minutes}'
    return f'{start}:{seconds:02d}'
