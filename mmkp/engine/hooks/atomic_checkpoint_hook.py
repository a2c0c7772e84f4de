"""Checkpoints that a kill can neither truncate nor lose."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmpose.registry import HOOKS

from mmkp.engine.file_backend import remove_unfinished
from mmkp.engine.loop_state import agree, is_between_updates, validation_is_due
from mmkp.engine.non_finite import raise_if_not_finite

_EXTRA = 'extra_checkpoints'
_VALIDATED = 'validated'


class _RemovalsLast:
    """A file backend that keeps removals for later.

    Args:
        backend: the file backend that does the work.
    """

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self._removals: list[tuple[Callable[[str], None], str]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.backend, name)

    def remove(self, filepath: str) -> None:
        """Remember to remove a file."""
        self._removals.append((self.backend.remove, filepath))

    def rmtree(self, dir_path: str) -> None:
        """Remember to remove a folder."""
        self._removals.append((self.backend.rmtree, dir_path))

    def remove_now(self, keep: set[str | None]) -> None:
        """Do what was remembered, except for the paths in ``keep``."""
        for remove, path in self._removals:
            if path not in keep:
                remove(path)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's checkpoint hook, safe against a kill at any moment.

    MMEngine writes checkpoints in place and deletes the outdated one before it
    writes the new one. Here a local checkpoint gets its name when it is complete
    (:class:`AtomicLocalBackend`) and outdated ones are deleted afterwards.
    Before each checkpoint all processes call the hook method
    ``before_checkpoint_on_all_ranks``, because ``before_save_checkpoint`` runs
    in the first process only.

    Beside the checkpoints of ``interval``, one more is kept and replaced: written
    before each validation, after every ``seconds`` of training, and when
    :class:`InterruptHook` stops it. A validation that was cut short is made up for
    when the training is resumed. Weights that are not finite are not written.

    Where a checkpoint cannot be written, as the disk is full or read-only, those before
    it stay, nothing half written is left, and the training stops: its log and figures
    go to the same disk, so that whoever looks after it would be told nothing more, and
    at most ``seconds`` of it are lost.

    Args:
        *args: those of :class:`mmengine.hooks.CheckpointHook`.
        seconds: at most so much training is lost by a kill; None for any.
        before_validation: whether to save before each validation.
        **kwargs: those of :class:`mmengine.hooks.CheckpointHook`.

    Raises:
        ValueError: ``seconds`` is not positive.
    """

    backend_args: dict | None
    file_backend: Any
    last_ckpt: str | None
    filename_tmpl: str
    max_keep_ckpts: int
    by_epoch: bool

    def __init__(
        self,
        *args: Any,
        seconds: float | None = 300.0,
        before_validation: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if seconds is not None and not seconds > 0:
            raise ValueError(f'seconds must be positive or None, got {seconds}')
        self.seconds, self.before_validation = seconds, before_validation
        is_local = '://' not in str(self.out_dir or '')
        if is_local and self.backend_args is None and self.file_client_args is None:
            self.backend_args = dict(backend='atomic_local')
        self._extra: list[str] = []  # replaced by the next checkpoint of any kind
        self._saving_extra = False
        self._saved: tuple[int, int] | None = None  # epoch and iteration of the last
        self._clock = time.monotonic()  # when that was
        self._validated: bool | None = None  # in the checkpoint that is resumed from

    def before_train(self, runner: Runner) -> None:
        """Prepare the folder of the checkpoints; make up for a lost validation.

        Args:
            runner: the runner of the training.
        """
        super().before_train(runner)
        if runner.param_schedulers is None:
            self.save_param_scheduler = False  # or the runner warns at each checkpoint
        if is_main_process() and Path(self.out_dir).is_dir():
            remove_unfinished(self.out_dir)
        self._extra = list(runner.message_hub.runtime_info.get(_EXTRA, []))
        self._clock = time.monotonic()
        if self._validated is not None and self._lacks_validation(runner):
            runner.logger.info('The validation that was cut short comes first.')
            runner.val_loop.run()
        self._validated = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember whether the state that is resumed from has been validated."""
        if runner._resume:
            self._validated = checkpoint.get(_VALIDATED)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Say whether the state has been validated."""
        checkpoint[_VALIDATED] = self._is_validating

    _is_validating = False

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Save the best checkpoint."""
        self._is_validating = True
        try:
            super().after_val_epoch(runner, metrics)
        finally:
            self._is_validating = False

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Save at the interval, before a validation and when time has passed.

        Args:
            runner: the runner of the training.
            *args: not used.
            **kwargs: not used.
        """
        super().after_train_iter(runner, *args, **kwargs)
        is_over = self.seconds and time.monotonic() - self._clock >= self.seconds
        is_due = agree(runner, int(bool(is_over)))
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            is_due = is_due or self._validates(runner, runner.iter + 1)
        if is_due and is_between_updates(runner):
            self.save_now(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Save at the interval and before a validation.

        Args:
            runner: the runner of the training.
        """
        super().after_train_epoch(runner)
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        if by_epoch and self._validates(runner, runner.epoch + 1):
            meta = dict(epoch=runner.epoch + 1, iter=runner.iter)
            self._save_extra(runner, runner.epoch + 1, meta, 'epoch_{}.pth')

    def save_now(self, runner: Runner) -> str:
        """Save the state at the end of an iteration, unless that has been done.

        Args:
            runner: the runner of the training, in ``after_train_iter``.

        Returns:
            Path of the checkpoint.
        """
        meta = dict(epoch=runner.epoch, iter=runner.iter + 1)
        self._save_extra(runner, runner.iter + 1, meta, 'iter_{}.pth')
        return str(self.last_ckpt)

    def has_saved(self, runner: Runner) -> bool:
        """Whether the last checkpoint is that of the current state, in validation."""
        return self._saved == (runner.epoch, runner.iter)

    def _validates(self, runner: Runner, done: int) -> bool:
        has_validation = self.before_validation and runner.val_loop is not None
        return has_validation and validation_is_due(runner.train_loop, done)

    def _lacks_validation(self, runner: Runner) -> bool:
        loop = runner.train_loop
        if self._validated or runner.val_loop is None:
            return False
        if isinstance(loop, EpochBasedTrainLoop):
            is_whole = loop.iter == loop.epoch * len(loop.dataloader)
            return is_whole and validation_is_due(loop, loop.epoch)
        return validation_is_due(loop, loop.iter)

    def _save_extra(self, runner: Runner, step: int, meta: dict, name: str) -> None:
        """Save a checkpoint that the next one replaces."""
        if self._saved == (meta['epoch'], meta['iter']):
            return
        former = self.filename_tmpl, self.max_keep_ckpts, self.by_epoch
        if name.startswith('epoch') != self.by_epoch:
            self.filename_tmpl, self.by_epoch = name, not self.by_epoch
        self.max_keep_ckpts, self._saving_extra = -1, True
        try:
            self._save_checkpoint_with_step(runner, step, meta)
        finally:
            self.filename_tmpl, self.max_keep_ckpts, self.by_epoch = former
            self._saving_extra = False

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        path = self.file_backend.join_path(
            self.out_dir, self.filename_tmpl.format(step)
        )
        raise_if_not_finite(runner, meta['iter'])
        runner.call_hook('before_checkpoint_on_all_ranks')
        outdated = [extra for extra in self._extra if extra != path]
        extra = [path] if self._saving_extra or path in self._extra else []
        # The checkpoint tells of outdated ones too: a kill may leave them there.
        runner.message_hub.update_info(_EXTRA, [*outdated, *extra])
        with self._removals_last():
            with self._last_stays_last(runner):
                super()._save_checkpoint_with_step(runner, step, meta)
            for file in outdated:
                if is_main_process() and self.file_backend.isfile(file):
                    self.file_backend.remove(file)
        self._extra = extra
        self._saved, self._clock = (meta['epoch'], meta['iter']), time.monotonic()

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        if self.save_best:
            raise_if_not_finite(runner, runner.iter)
        with self._removals_last():
            super()._save_best_checkpoint(runner, metrics)

    @contextmanager
    def _last_stays_last(self, runner: Runner) -> Iterator[None]:
        """Name the former checkpoint as the last one where writing the next fails."""
        told = runner.message_hub.runtime_info
        former, former_told = self.last_ckpt, told.get('last_ckpt')
        try:
            yield
        except BaseException:
            self.last_ckpt = former
            told['last_ckpt'] = former_told
            raise

    @contextmanager
    def _removals_last(self) -> Iterator[None]:
        """Delete what the body deletes once the body has succeeded."""
        if isinstance(self.file_backend, _RemovalsLast):  # within another one
            yield
            return
        removals = self.file_backend = _RemovalsLast(self.file_backend)
        try:
            yield
        finally:
            self.file_backend = removals.backend
        several = getattr(self, 'best_ckpt_path_dict', {}).values()
        best = getattr(self, 'best_ckpt_path', None)
        removals.remove_now({self.last_ckpt, best, *several})
