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
