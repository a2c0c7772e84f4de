"""One line that tells how far a training is."""

import sys
import time

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Prints elapsed time, iterations and loss to the standard error stream.

    On a terminal one line is rewritten, elsewhere a line is added now and then.

    Args:
        seconds: time limit of the training; the share done is that of the time or of
            the iterations, whichever is larger.
        pause: between two lines, in seconds, where there is no terminal.
    """

    priority = 'LOW'

    def __init__(self, seconds: float | None = None, pause: float = 15.0) -> None:
        self.seconds = seconds
        self._on_terminal = sys.stderr.isatty()
        self._pause = 0.5 if self._on_terminal else pause
        self._start = self._told = 0.0

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self._start = self._told = time.monotonic()

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
        done, elapsed = runner.iter + 1, now - self._start
        last = done >= runner.max_iters
        if not is_main_process() or not (last or now - self._told >= self._pause):
            return
        self._told = now
        share = done / runner.max_iters
        if self.seconds and not last:
            share = max(share, min(elapsed / self.seconds, 0.99))
        minutes, seconds = divmod(int(elapsed), 60)
        line = f'  training {share:4.0%}  {minutes}:{seconds:02d}  iteration {done}'
        if outputs and 'loss' in outputs:
            line += f'  loss {outputs["loss"].item():.3g}'
        end = '\r' if self._on_terminal and not last else '\n'
        print(f'{line}   ', end=end, file=sys.stderr, flush=True)
