"""A runner that tells a person what counts, and the log file everything."""

import logging
import os
import warnings
from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.logging import MMLogger
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmkp.engine.distributed import told_of_lost_processes
from mmkp.engine.loop_state import EMPTY, check_training_data

# Nobody who trains a model can act on these; they stay in the log file or vanish.
_OF_OTHERS = (
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
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
        return logger

    def train(self) -> torch.nn.Module:
        """Train, after a look at the data.

        Raises:
            ValueError: the training data give no batch.
        """
        with warnings.catch_warnings():
            if not is_verbose():
                for message in _WARNINGS_OF_OTHERS:
                    warnings.filterwarnings('ignore', message)
            check_training_data(self.train_loop)
            with told_of_lost_processes(self.work_dir):
                return super().train()

    def build_train_loop(self, loop: Any) -> Any:
        """Build the loop and its data.

        Raises:
            ValueError: the data set is empty, which MMEngine cannot serialise.
        """
        try:
            return super().build_train_loop(loop)
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
