"""What each option of the command line means for a runner's config."""

import logging
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmkp.engine.checkpoint import CheckpointError
from mmkp.engine.config_check import ConfigError
from mmkp.engine.resume import find_resumable_checkpoint, why_unreadable

# Without these a training cannot be stopped and resumed, or goes on with NaN.
_NEEDED_HOOKS = dict(
    interrupt='InterruptHook',
    finite='FiniteTrainingHook',
    exact_resume='ExactResumeHook',
    resumed_settings='ResumedSettingsHook',
)


def complete_hooks(cfg: Config) -> None:
    """Give configs that do not inherit ours the hooks that keep a training safe.

    MMEngine's checkpoint hook is replaced by ours, which takes the same arguments.
    A hook is left out where ``default_hooks`` sets it to None.

    Args:
        cfg: of a training.
    """
    hooks = dict(cfg.get('default_hooks') or {})
    checkpoint = hooks.setdefault('checkpoint', dict(type='CheckpointHook', interval=1))
    if _type_name(checkpoint) == 'CheckpointHook':
        hooks['checkpoint'] = dict(checkpoint, type='AtomicCheckpointHook')
    custom = cfg.get('custom_hooks') or []
    present = {_type_name(hook) for hook in [*hooks.values(), *custom]}
    for name, hook_type in _NEEDED_HOOKS.items():
        if hook_type not in present:
            hooks.setdefault(name, dict(type=hook_type))
    # MMEngine accepts None for its own default hooks only.
    cfg.default_hooks = {
        name: hook
        for name, hook in hooks.items()
        if hook is not None or name in _OF_MMENGINE
    }


_OF_MMENGINE = {
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
}


def _type_name(hook: Any) -> str:
    """Name of a hook's type, whether the config has the name or the class."""
    found = hook.get('type', '') if isinstance(hook, dict) else type(hook)
    return getattr(found, '__name__', str(found).split('.')[-1])


def without_validation(cfg: Config) -> None:
    """Train without validation (``--no-validate``)."""
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None


def set_resume(cfg: Config, checkpoint: str) -> None:
    """Go on from a checkpoint (``--resume``).

    Args:
        cfg: with ``work_dir`` set.
        checkpoint: file, or 'auto' for the newest readable one of the work
            directory; without any, the training starts from scratch, and says so.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file cannot be read.
    """
    if checkpoint != 'auto':
        set_checkpoint(cfg, checkpoint)
        cfg.resume = True
        return
    found = find_resumable_checkpoint(cfg.work_dir)
    if found is None:
        print_log(
            f"--resume: there is no checkpoint in '{cfg.work_dir}', so the training "
            'begins at step 1',
            logger='current',
            level=logging.WARNING,
        )
        return
    print_log(f'--resume: going on from {found}', logger='current')
    cfg.load_from, cfg.resume = str(found), True


def set_checkpoint(cfg: Config, checkpoint: str) -> None:
    """Load a checkpoint; say at once when it cannot be read.

    Args:
        cfg: gets ``load_from``.
        checkpoint: file or URL.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is damaged.
    """
    if '://' not in checkpoint:
        path = Path(checkpoint)
        if not path.is_file():
            raise FileNotFoundError(f"checkpoint '{path}' does not exist")
        reason = why_unreadable(path)
        if reason is not None:
            raise CheckpointError(f"checkpoint '{path}' cannot be read: {reason}")
    cfg.load_from = checkpoint


def show_predictions(
    cfg: Config,
    folder: str | None,
    interval: int = 1,
    show: bool = False,
    wait_time: float = 1,
) -> None:
    """Draw predictions with MMPose's hook, ours included (``--show-dir``).

    Args:
        cfg: of the runner.
        folder: where pictures go, None for the visualizer's backends.
        interval: one in so many images in validation.
        show: in a window.
        wait_time: seconds that the window shows a picture.
    """
    # MMPose joins a relative folder to its own again with each batch.
    out_dir = str(Path(folder).absolute()) if folder else None
    hooks = cfg.default_hooks
    hook = hooks.setdefault('visualization', dict(type='PoseVisualizationHook'))
    hook.update(
        enable=True, out_dir=out_dir, interval=interval, show=show, wait_time=wait_time
    )
    if out_dir and 'discovery' in hooks:
        hooks.discovery.out_dir = out_dir


def show_bad_cases(
    cfg: Config, folder: str | None, show: bool = False, wait_time: float = 1
) -> None:
    """Draw the worst predictions only (``--badcase``), with MMPose's hook.

    Raises:
        ConfigError: the config does not say how to judge one prediction.
    """
    hook = cfg.default_hooks.get('badcase')
    if hook is None:
        raise ConfigError(
            '--badcase needs a measure of single predictions: set '
            "default_hooks.badcase to dict(type='BadCaseAnalysisHook', "
            'metric_type=..., metric=..., badcase_thr=...). Discovered keypoints '
            'have none, as they are compared with annotations over the whole data '
            'set only'
        )
    hook.update(enable=True, show=show, wait_time=wait_time)
    if folder:
        hook.out_dir = str(Path(folder).absolute())


def dump_predictions(cfg: Config, filename: str) -> None:
    """Write all predictions to a pickle file (``--dump``).

    Raises:
        ConfigError: the file is not called ``*.pkl`` or ``*.pickle``.
    """
    if not filename.endswith(('.pkl', '.pickle')):
        raise ConfigError(f"--dump writes a .pkl file, got '{filename}'")
    evaluators = cfg.test_evaluator
    if not isinstance(evaluators, list | tuple):
        evaluators = [evaluators]
    dump = dict(type='DumpResults', out_file_path=filename)
    cfg.test_evaluator = [*evaluators, dump]
