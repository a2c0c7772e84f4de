"""One clear error for a checkpoint of another model."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmpose.registry import HOOKS

from mmkp.engine.checkpoint_match import keep_what_fits, raise_if_mismatched
from mmkp.engine.loop_state import bare_model
from mmkp.engine.resume_match import raise_if_not_resumable

_REMEDY = (
    '; to start a new training from what fits, as with another number of keypoints, '
    '{}add --cfg-options {}default_hooks.checkpoint_match.enable=False'
)


@HOOKS.register_module()
class CheckpointMatchHook(Hook):
    """Refuses weights that do not fit, before MMEngine loads what does.

    Training from ``load_from`` accepts a checkpoint of a part of the model;
    resuming and testing need all of it, and resuming an optimizer of the same kind.

    Args:
        enable: False to load whatever fits, as in fine-tuning to another number of
            keypoints; what does not is told in one line.
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
            CheckpointMismatchError: it is one of another model, or it cannot be
                resumed from.
        """
        if 'state_dict' not in checkpoint:  # which hooks of MMEngine rely on
            weights = dict(checkpoint)
            checkpoint.clear()
            checkpoint['state_dict'] = weights
        model = bare_model(runner)
        trains = isinstance(runner._train_loop, BaseLoop)
        source = str(runner._load_from or f'the checkpoint in {runner.work_dir}')
        resumes = trains and runner._resume
        if self.enable:
            raise_if_mismatched(
                model,
                checkpoint,
                source=source,
                config=str(runner.cfg.filename or 'the config'),
                allow_missing=trains and not resumes,
                remedy=_remedy(source, resumes) if trains else '',
            )
        else:
            kept = keep_what_fits(model, checkpoint)
            runner.logger.warning(f'{source}: {kept}')
        if resumes:
            raise_if_not_resumable(runner, checkpoint, source)


def _remedy(source: str, resumes: bool) -> str:
    if resumes:
        return _REMEDY.format('leave out --resume and ', f'load_from={source} ')
    return _REMEDY.format('', '')
