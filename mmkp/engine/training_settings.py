# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The settings of a training on which its steps depend, as plain values."""

from collections.abc import Mapping
from typing import Any

from mmengine.dist import get_world_size
from mmengine.runner import Runner

from mmkp.engine.checkpoint import UntrustedCheckpointError
from mmkp.engine.checkpoint_config import literal_config
from mmkp.engine.optimizers import optim_wrappers

KEY = 'settings'  # of a checkpoint
PROCESSES, SEED = 'number of processes', 'randomness.seed'
_SECTIONS = (
    'model',
    'train_dataloader',
    'optim_wrapper',
    'param_scheduler',
    'auto_scale_lr',
    'custom_hooks',
    'sync_bn',
)
# The steps of a training do not depend on these.
_LEFT_OUT = (
    'model.test_cfg',
    'train_dataloader.persistent_workers',
    'train_dataloader.pin_memory',
    'train_dataloader.prefetch_factor',
    'train_dataloader.multiprocessing_context',
    'train_dataloader.timeout',
)
_WORKERS = 'train_dataloader.num_workers'


def training_settings(runner: Runner) -> dict[str, Any]:
    """Read the settings of a training.

    Args:
        runner: of the training, its optimizer built.

    Returns:
        Dotted key of the config -> plain value; beside these the kind of each optimizer
        as its class is called, the seed and the number of processes.
    """
    found = _of_config(runner.cfg)
    for name, wrapper in optim_wrappers(runner.optim_wrapper).items():
        found[optimizer_key(name)] = type(wrapper.optimizer).__name__
    return {**found, SEED: runner.seed, PROCESSES: get_world_size()}


def settings_in(checkpoint: Mapping) -> dict[str, Any]:
    """Find the settings with which a checkpoint was trained.

    Args:
        checkpoint: as loaded.

    Returns:
        As :func:`training_settings` does; of checkpoints that hold none as far as the
        config's text and the random states tell them.
    """
    saved = checkpoint.get(KEY)
    if isinstance(saved, Mapping):
        return dict(saved)
    found: dict[str, Any] = {}
    states = (checkpoint.get('random_state') or {}).get('ranks')
    meta = checkpoint.get('meta') or {}
    if states:
        found[PROCESSES] = len(states)
    if meta.get('seed') is not None:
        found[SEED] = meta['seed']
    try:
        text = _of_config(literal_config(meta.get('cfg', '')))
    except UntrustedCheckpointError:
        return found
    for key, value in text.items():
        is_kind = key.startswith('optim_wrapper') and key.endswith('optimizer.type')
        found[key] = str(value).rpartition('.')[2] if is_kind else value
    return found


def optimizer_key(name: str) -> str:
    """Key of the kind of an optimizer; of a single one the name is empty."""
    return f'optim_wrapper.{name}.optimizer.type'.replace('..', '.')


def changed_settings(
    former: Mapping[str, Any], present: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Compare the settings of two trainings.

    Args:
        former: as :func:`settings_in` returns them.
        present: as :func:`training_settings` does.

    Returns:
        Key -> former and present value, of those that differ; ``None`` where there is
        no such key. {} where nothing is known of the former.
    """
    sections = {key.partition('.')[0] for key in former}
    keys = {key for key in {*former, *present} if key.partition('.')[0] in sections}
    pairs = {key: (former.get(key), present.get(key)) for key in sorted(keys)}
    if all(pairs.get(_WORKERS, (0, 0))):
        del pairs[_WORKERS]  # batches do not depend on how many workers there are
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _of_config(cfg: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for section in _SECTIONS:
        if cfg.get(section) is not None:
            _flatten(cfg[section], section, found)
    return {
        key: value
        for key, value in found.items()
        if not any(key == left or key.startswith(f'{left}.') for left in _LEFT_OUT)
        and not key.endswith('.data_root')  # folders are moved
    }


def _flatten(value: Any, key: str, found: dict[str, Any]) -> None:
    """Note every single value below a key."""
    items: Any = None
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    if items is None or not value:
        found[key] = value if _is_plain(value) else repr(value)
        return
    for part, inner in items:
        _flatten(inner, f'{key}.{part}', found)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)
