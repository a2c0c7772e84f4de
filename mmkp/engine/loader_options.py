"""Settings of data loaders that contradict each other, settled beforehand."""

import logging
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from mmkp.engine.config_check import ConfigError, nearest

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
# What means nothing without worker processes; PyTorch refuses some of it.
_OF_WORKERS = (
    'persistent_workers',
    'prefetch_factor',
    'multiprocessing_context',
    'timeout',
)
_START_METHODS = torch.multiprocessing.get_all_start_methods()


def settle_loaders(cfg: Config) -> None:
    """Take out settings without an effect, and refuse those that cannot be meant.

    Where there is a GPU, loaders whose config does not say otherwise pin their memory.

    Args:
        cfg: of a runner; what is taken out is told in one line.

    Raises:
        ConfigError: a setting is out of range, or two exclude each other.
    """
    dropped: dict[str, list[str]] = {}
    for name in _LOADERS:
        loader = cfg.get(name)
        if isinstance(loader, dict) and 'dataset' in loader:
            _check(loader, name)
            if torch.cuda.is_available():
                # Else each copy to the GPU is waited for.
                loader.setdefault('pin_memory', True)
            for key, reason in _without_effect(loader):
                loader.pop(key)
                dropped.setdefault(f'{key} {reason}', []).append(name)
    for setting, names in dropped.items():
        print_log(
            f'{" and ".join(names)}: without {setting}',
            logger='current',
            level=logging.WARNING,
        )


def _without_effect(loader: Mapping) -> list[tuple[str, str]]:
    """Keys to take out, each with the reason."""
    found = []
    if loader.get('num_workers', 0) == 0:
        found += [
            (key, 'as num_workers=0')
            for key in _OF_WORKERS
            if loader.get(key) not in (None, False, 0)
        ]
    if loader.get('pin_memory') and not torch.cuda.is_available():
        found.append(('pin_memory', 'as there is no GPU'))
    if loader.get('batch_sampler') is not None and loader.get('drop_last'):
        found.append(('drop_last', 'as batch_sampler makes the batches'))
    return found


def _check(loader: Mapping, name: str) -> None:
    for key, least in dict(num_workers=0, batch_size=1, prefetch_factor=1).items():
        value: Any = loader.get(key)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (is_number and value >= least):
            raise ConfigError(
                f'{name}.{key} must be a whole number from {least}, got {value!r}'
            )
    if loader.get('shuffle') is not None:
        raise ConfigError(
            f'{name}.shuffle has no place beside a sampler: set '
            f'{name}.sampler.shuffle={loader["shuffle"]} instead'
        )
    if loader.get('sampler') is None:
        raise ConfigError(
            f"{name}.sampler is missing: dict(type='InfiniteSampler') for training by "
            "iteration, dict(type='DefaultSampler', shuffle=...) otherwise"
        )
    method = loader.get('multiprocessing_context')
    if isinstance(method, str) and method not in _START_METHODS:
        raise ConfigError(
            f'{name}.multiprocessing_context={method!r}: '
            f'{nearest(method, _START_METHODS)}'
        )
