"""mmkp: part affinity fields, stacked hourglass and unsupervised keypoints for MMPose.

Importing this package registers every type of mmkp in the registries of MMPose.
"""

from mmkp.dependencies import check_dependencies
from mmkp.early_interruption import tell_early_interruptions
from mmkp.version import __version__

tell_early_interruptions()
check_dependencies()

from mmkp import compat  # noqa: E402

compat.apply()

from importlib import import_module  # noqa: E402
from typing import Any  # noqa: E402

# These imports register, and need the shims above.
from mmengine.config.utils import MODULE2PACKAGE  # noqa: E402

from mmkp import (  # noqa: E402
    codecs,
    datasets,
    engine,
    evaluation,
    models,
    visualization,
)

# Lets configs inherit from installed ones with `_base_ = 'mmkp::...'`, which MMEngine
# allows for the packages of this table only (open-mmlab/mmengine#1410, #1581).
MODULE2PACKAGE['mmkp'] = 'mmkp'

# The verbs of the command, as functions: they are imported when they are used.
_VERBS = (
    'compare',
    'convert',
    'discover',
    'export',
    'info',
    'name',
    'predict',
    'suggest',
    'view',
)

__all__ = [
    '__version__',
    'codecs',
    'compat',
    'datasets',
    'engine',
    'evaluation',
    'models',
    'visualization',
]


def __getattr__(name: str) -> Any:
    """Import a verb's function, or the class ``Run``."""
    if name in _VERBS:
        return getattr(import_module(f'mmkp.apis.{name}'), name)
    if name == 'Run':
        return import_module('mmkp.apis.run').Run
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *_VERBS, 'Run'})
