"""Checkpoints that a kill can neither truncate nor lose."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmkp.engine.file_backend import remove_unfinished


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

    Args: those of :class:`mmengine.hooks.CheckpointHook`.
    """

    backend_args: dict | None
    file_backend: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_local = '://' not in str(self.out_dir or '')
        if is_local and self.backend_args is None and self.file_client_args is None:
            self.backend_args = dict(backend='atomic_local')

    def before_train(self, runner: Runner) -> None:
        """Prepare the folder of the checkpoints.

        Args:
            runner: the runner of the training.
        """
        super().before_train(runner)
        if runner.param_schedulers is None:
            self.save_param_scheduler = False  # or the runner warns at each checkpoint
        if is_main_process() and Path(self.out_dir).is_dir():
            remove_unfinished(self.out_dir)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        runner.call_hook('before_checkpoint_on_all_ranks')
        with self._removals_last():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        with self._removals_last():
            super()._save_best_checkpoint(runner, metrics)

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
        best = getattr(self, 'best_ckpt_path', None)
        removals.remove_now({self.last_ckpt, best})
