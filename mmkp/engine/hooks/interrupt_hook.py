"""A training that can be stopped at any time and loses nothing."""

import os
import signal
import sys
import threading
import time
import weakref
from functools import partial
from types import FrameType
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmpose.registry import HOOKS

from mmkp.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from mmkp.engine.loop_state import agree, is_between_updates
from mmkp.engine.resume import resume_command
from mmkp.engine.worker_signals import start_shielded

_SIGNALS = [n for n in ('SIGINT', 'SIGTERM', 'SIGHUP') if hasattr(signal, n)]
# Launchers and shells pass a signal on that the process has got already.
_SAME, _SAME_DISTRIBUTED = 0.5, 5.0
_TOLD = b'\nStopping after this step, which is saved. Once more to leave at once.\n'


@HOOKS.register_module()
class InterruptHook(Hook):
    """Saves and stops when the process gets SIGINT (Ctrl-C), SIGTERM or SIGHUP.

    The step is finished and saved, so that ``resume`` continues as if nothing had
    happened, the command that does so is told, and the process exits with 128 plus
    the number of the signal (130 after Ctrl-C, 143 after SIGTERM). A validation is cut
    short, and made up for when the training is resumed. A second signal does what
    it would do without this hook. All processes of a distributed training stop after
    the same step. Signals that are ignored, as under ``nohup``, stay ignored.
    """

    # After everything else of the same iteration.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._received, self._when = 0, 0.0
        self._same = _SAME
        self._process, self._loop_code = 0, None
        self._loop: Any = lambda: None
        self._former: dict[int, Any] = {}

    def before_run(self, runner: Runner) -> None:
        """Let worker processes leave signals to this one.

        Args:
            runner: the runner of the training.
        """
        if not isinstance(runner._train_loop, BaseLoop):
            return
        for loop in (runner.train_loop, runner.val_loop):
            loader = getattr(loop, 'dataloader', None)
            if loader is not None:
                loader.worker_init_fn = partial(start_shielded, loader.worker_init_fn)

    def before_train(self, runner: Runner) -> None:
        """Listen to signals.

        Args:
            runner: the runner of the training.
        """
        self._received, self._process = 0, os.getpid()
        self._same = _SAME_DISTRIBUTED if runner.distributed else _SAME
        self._loop_code = type(runner.train_loop).run.__code__
        self._loop = weakref.ref(runner.train_loop)
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread may listen
        for number in (getattr(signal, name) for name in _SIGNALS):
            former = self._not_of_an_ended_training(number)
            if former not in (None, signal.SIG_IGN) and number not in self._former:
                self._former[number] = former
                signal.signal(number, self._receive)

    def after_train(self, runner: Runner) -> None:
        """Listen no longer."""
        self._restore()

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Stop after this iteration, in all processes at once.

        Args:
            runner: the runner of the training.
            *args: not used.
            **kwargs: not used.

        Raises:
            SystemExit: a signal was received.
        """
        number = agree(runner, self._received)
        if number and is_between_updates(runner):
            path = _checkpoint_hook(runner).save_now(runner)
            self._stop(runner, number, path)

    def after_val_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Cut a validation short where the state before it has been saved.

        Args:
            runner: the runner of the training.
            *args: not used.
            **kwargs: not used.

        Raises:
            SystemExit: a signal was received.
        """
        if not self._received or runner.distributed:
            return
        hook = _checkpoint_hook(runner)
        if hook.has_saved(runner):
            self._stop(runner, self._received, str(hook.last_ckpt))

    def _stop(self, runner: Runner, number: int, path: str) -> None:
        self._restore()
        runner.call_hook('before_interruption')
        name = signal.Signals(number).name
        runner.logger.warning(
            f'{name}: stopped, everything is saved in {path}. To continue:\n'
            f'    {resume_command(path)}'
        )
        raise SystemExit(128 + number)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        """Remember a signal; a second one has its usual effect."""
        if os.getpid() != self._process:
            if not self._is_training(frame):  # forked after an error ended the loop
                self._restore()
                os.kill(os.getpid(), number)
            return  # a worker process that has just been forked
        now = time.monotonic()
        if self._received and now - self._when < self._same:
            return
        if self._received or not self._is_training(frame):
            self._restore()
            os.kill(self._process, number)
            return
        self._received, self._when = number, now
        os.write(2, _TOLD)

    @staticmethod
    def _not_of_an_ended_training(number: int) -> Any:
        """The handler of a signal, without those of trainings that errors ended."""
        former = signal.getsignal(number)
        owner = getattr(former, '__self__', None)
        while isinstance(owner, InterruptHook):
            here = os.getpid() == owner._process
            if here and owner._is_training(sys._getframe()):
                break
            former = owner._former.get(number, signal.SIG_DFL)
            owner = getattr(former, '__self__', None)
        return former

    def _is_training(self, frame: FrameType | None) -> bool:
        """Whether the loop is on the stack; it may have ended with an error."""
        while frame is not None:
            if frame.f_code is self._loop_code:
                if frame.f_locals.get('self') is self._loop():
                    return True
            frame = frame.f_back
        return False

    def _restore(self) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)
        self._former = {}


def _checkpoint_hook(runner: Runner) -> AtomicCheckpointHook:
    """The hook that saves; one for this occasion where the config has another one."""
    for hook in runner.hooks:
        if isinstance(hook, AtomicCheckpointHook):
            return hook
    hook = AtomicCheckpointHook(before_validation=False)
    hook.before_train(runner)
    return hook
