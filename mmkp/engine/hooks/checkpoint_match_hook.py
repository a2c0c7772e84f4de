"""One clear error for a checkpoint of another model."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmpose.registry import HOOKS

from mmkp.engine.checkpoint_match import raise_if_mismatched


@HOOKS.register_module()
class CheckpointMatchHook(Hook):
    """Refuses weights that do not fit, before MMEngine loads what does.

    Training from ``load_from`` accepts a checkpoint of a part of the model;
    resuming and testing need all of it.

    Args:
        enable: False to load whatever fits, with MMEngine's warnings.
    """

    priority = 'VERY_HIGH'

    def __init__(self, enable: bool = True) -> None:
        self.enable = enable

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare a checkpoint with the model.

        Args:
            runner: the runner that loads it.
            checkpoint: as loaded.

        Raises:
            CheckpointMismatchError: it is one of another model.
        """
        if not self.enable:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        trains = isinstance(runner._train_loop, BaseLoop)
        raise_if_mismatched(
            model,
            checkpoint,
            source=str(runner._load_from or f'the checkpoint in {runner.work_dir}'),
            config=str(runner.cfg.filename or 'the config'),
            allow_missing=trains and not runner._resume,
        )
