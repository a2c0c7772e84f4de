"""mmkp: part affinity fields, stacked hourglass and unsupervised keypoints for MMPose.

Importing this package registers every type of mmkp in the registries of MMPose.
"""

from mmengine.config.utils import MODULE2PACKAGE

from mmkp import compat
from mmkp.version import __version__

compat.apply()

# The imports below register; they need the shims above, hence the order.
from mmkp import (  # noqa: E402
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
    'compat',
    'datasets',
    'engine',
    'evaluation',
    'models',
    'visualization',
]
