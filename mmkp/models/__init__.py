"""Networks, losses and model types that MMPose lacks; importing registers them."""

from mmkp.models import (
    backbones,
    generators,
    heads,
    losses,
    stages,
    unsupervised,
    view_transforms,
)

__all__ = [
    'backbones',
    'generators',
    'heads',
    'losses',
    'stages',
    'unsupervised',
    'view_transforms',
]
