"""Heads that MMPose lacks."""

from mmkp.models.heads.channel_mass_head import ChannelMassHead
from mmkp.models.heads.part_affinity_head import PartAffinityHead
from mmkp.models.heads.spatial_expectation_head import SpatialExpectationHead
from mmkp.models.heads.stacked_hourglass_head import StackedHourglassHead
from mmkp.models.heads.token_head import TokenHead

__all__ = [
    'ChannelMassHead',
    'PartAffinityHead',
    'SpatialExpectationHead',
    'StackedHourglassHead',
    'TokenHead',
]
