"""Networks, losses and model types that MMPose lacks; importing registers them."""

from mmkp.models import (
    backbones,
    data_preprocessors,
    generators,
    heads,
    losses,
    stages,
    token_attention,
    unsupervised,
    view_transforms,
)

__all__ = [
    'backbones',
    'data_preprocessors',
    'generators',
    'heads',
    'losses',
    'stages',
    'token_attention',
    'unsupervised',
    'view_transforms',
]
