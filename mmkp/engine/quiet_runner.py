"""A runner that tells a person what counts, and the log file everything."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.logging import MMLogger
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmkp.datasets.damaged_images import leave_out_damaged_images
from mmkp.engine.distributed import raise_if_not_savable, told_of_other_processes
from mmkp.engine.loop_state import EMPTY, check_training_data
from mmkp.engine.machine_failures import (
    OF_THE_MACHINE,
    TrainingStoppedError,
    error_number,
    tell_system_error,
    tell_worker_failure,
)
from mmkp.engine.resume import resume_command

# Nobody who trains a model can act on these; they stay in the log file or vanish.
_OF_OTHERS = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    '`resume_param_scheduler` is True',  # rates may follow the clock
    'Advance dataloader',  # no batch is made for it, see ExactResumeHook
    'Reach the end of the dataloader',
    'The prefix is not set in metric class',
    'The value of random seed in the checkpoint',  # see ResumedSettingsHook
)
_WARNINGS_OF_OTHERS = (
    r'.*`torch\.jit\..*` is deprecated',
    r'.*`torch\.jit\..*` is not supported',
    r'.*torch\.meshgrid: in an upcoming release',
    r'.*instance named of .* has been created',
    r".*'pin_memory' argument is set as true",
    r'.*The default value of the antialias parameter',
    r'.*pkg_resources is deprecated',
    r'.*Detected call of `lr_scheduler\.step\(\)` before',
)


def is_verbose(level: str | int = 'INFO') -> bool:
    """Whether everything goes to the terminal.

    Args:
        level: ``log_level`` of the config; ``'DEBUG'`` asks for everything, as the
            environment variable ``MMKP_VERBOSE=1`` does.
    """
    return level in ('DEBUG', logging.DEBUG) or os.environ.get('MMKP_VERBOSE') == '1'


class QuietRunner(Runner):
    """MMEngine's runner with a short beginning on the terminal.

    MMEngine prints its environment, the whole config and all hooks, 300 lines, before
    anything happens. Here they are in the log file only, and the terminal gets a few
    lines: config, folder, data, model, device, steps. Warnings are shown as ever.
    ``log_level='DEBUG'`` or ``MMKP_VERBOSE=1`` brings everything back.
    """

    def build_logger(self, log_level: Any = 'INFO', *args: Any, **kwargs: Any) -> Any:
        """Build MMEngine's logger, quiet on the terminal until something happens."""
        logger = super().build_logger(log_level, *args, **kwargs)
        self._quiet = _UntilItBegins()
        if not is_verbose(log_level):
            for handler in _terminals(logger):
                handler.addFilter(self._quiet)
        for handler in logger.handlers:
            if isinstance(handler, logging.FileHandler):
                handler.handleError = _raise_system_errors  # type: ignore[method-assign]
        return logger

    def silence(self) -> None:
        """Show nothing but warnings on the terminal; the log file has the rest."""
        for handler in _terminals(self.logger):
            handler.setLevel(logging.WARNING)

    def train(self) -> torch.nn.Module:
        """Train, after a look at the data.

        Raises:
            ValueError: the training data give no batch.
            TrainingStoppedError: a full or read-only disk, a folder that was removed,
                a worker process that was killed; naming the last checkpoint.
        """
        with self._machine_failures_told(), warnings.catch_warnings():
            if not is_verbose():
                for message in _WARNINGS_OF_OTHERS:
                    warnings.filterwarnings('ignore', message)
            raise_if_not_savable(self.model)
            check_training_data(self.train_loop)
            with told_of_other_processes(self):
                return super().train()

    def build_train_loop(self, loop: Any) -> Any:
        """Build the loop and its data; damaged images are left out of them.

        Raises:
            ValueError: the data set is empty, which MMEngine cannot serialise.
        """
        try:
            built = super().build_train_loop(loop)
            leave_out_damaged_images(built.dataloader.dataset)
            return built
        except ValueError as error:
            if 'need at least one array' in str(error):
                raise ValueError(EMPTY) from error
            raise

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call the hooks; before the first step, say what is about to happen."""
        if fn_name == 'before_train_epoch' and not self._quiet.has_begun:
            self._quiet.has_begun = True
            self.logger.info(self._what_is_trained())
        elif fn_name in ('before_val', 'before_test'):
            self._quiet.has_begun = True
        super().call_hook(fn_name, **kwargs)

    @contextmanager
    def _machine_failures_told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError) as error:
            reason = self._machine_failure(error)
            if reason is None:
                raise
            raise TrainingStoppedError(f'{reason}. {self._what_is_kept()}') from error

    def _machine_failure(self, error: Exception) -> str | None:
        """What the machine has done, in a sentence; None for other errors."""
        if told := tell_worker_failure(error):
            return told
        if not isinstance(error, OSError):
            return None
        if not os.path.isdir(self._log_dir):
            return f"'{self._log_dir}' was removed while the training wrote into it"
        if error_number(error) in OF_THE_MACHINE:
            return tell_system_error(error)
        return None

    def _what_is_kept(self) -> str:
        path = self.message_hub.runtime_info.get('last_ckpt')
        if path is None:
            return 'The training stops before its first checkpoint'
        if not os.path.isfile(path):
            return f'The training stops, and its checkpoint {path} is gone'
        command = resume_command(path)
        return (
            f'The training stops, its checkpoint {path} is whole. To go on: {command}'
        )

    def _what_is_trained(self) -> str:
        loop, model = self.train_loop, self.model
        number = sum(p.numel() for p in model.parameters() if p.requires_grad)
        device = next(model.parameters()).device
        processes = f' in {get_world_size()} processes' if self.distributed else ''
        by_epoch = isinstance(loop, EpochBasedTrainLoop)
        epochs = f' ({loop.max_epochs} epochs)' if by_epoch else ''
        done = f', {loop.iter} of them done' if loop.iter else ''
        validation = ', no validation'
        if self.val_loop is not None:
            unit = 'epochs' if by_epoch else 'steps'
            images = len(self.val_loop.dataloader.dataset)
            validation = f', {images} to validate on every {loop.val_interval} {unit}'
        loader = loop.dataloader
        batch = getattr(loader.batch_sampler, 'batch_size', loader.batch_size)
        return '\n'.join(
            [
                f'Training {self.model_name} by {self.cfg.filename or "a config"}',
                f'  data     {len(loader.dataset)} samples to train on, {batch} a step'
                f'{validation}',
                f'  model    {number:,} parameters to learn, on {device}{processes}, '
                f'seed {self.seed}',
                f'  steps    {loop.max_iters}{epochs}{done}',
                f'  results  {self.work_dir}',
                f'  log      {getattr(self.logger, "log_file", None)}',
            ]
        )


def _raise_system_errors(record: logging.LogRecord) -> None:
    """Let a full disk end the training in a sentence, not in a traceback a line."""
    error = sys.exc_info()[1]
    if isinstance(error, OSError):
        raise error
    logging.StreamHandler().handleError(record)


class _UntilItBegins(logging.Filter):
    """Lets warnings through, and information once something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown."""
        if str(record.msg).startswith(_OF_OTHERS):
            return False
        return self.has_begun or record.levelno >= logging.WARNING


def _terminals(logger: MMLogger) -> list[logging.Handler]:
    return [
        handler
        for handler in logger.handlers
        if isinstance(handler, logging.StreamHandler)
        and not isinstance(handler, logging.FileHandler)
    ]
