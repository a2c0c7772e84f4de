"""Frozen networks whose features learned tokens attend to."""

from mmkp.models.token_attention.base import TokenAttention
from mmkp.models.token_attention.diffusion_attention import DiffusionAttention
from mmkp.models.token_attention.feature_attention import FeatureAttention
from mmkp.models.token_attention.frozen_base import FrozenBase
from mmkp.models.token_attention.frozen_vgg import FrozenVGG
from mmkp.models.token_attention.sharded_networks import ShardedFrozenDataParallel

__all__ = [
    'DiffusionAttention',
    'FeatureAttention',
    'FrozenBase',
    'FrozenVGG',
    'ShardedFrozenDataParallel',
    'TokenAttention',
]
