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
from mmkp.models.backbones import *
from mmkp.models.data_preprocessors import *
from mmkp.models.generators import *
from mmkp.models.heads import *
from mmkp.models.losses import *
from mmkp.models.stages import *
from mmkp.models.token_attention import *
from mmkp.models.unsupervised import *
from mmkp.models.view_transforms import *

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
__all__ += backbones.__all__
__all__ += data_preprocessors.__all__
__all__ += generators.__all__
__all__ += heads.__all__
__all__ += losses.__all__
__all__ += stages.__all__
__all__ += token_attention.__all__
__all__ += unsupervised.__all__
__all__ += view_transforms.__all__
