"""Heads that MMPose lacks."""

from mmkp.models.heads.channel_softmax_head import ChannelSoftmaxHead
from mmkp.models.heads.part_affinity_head import PartAffinityHead
from mmkp.models.heads.soft_argmax_head import SoftArgmaxHead
from mmkp.models.heads.stacked_hourglass_head import StackedHourglassHead
from mmkp.models.heads.token_head import TokenHead

__all__ = [
    'ChannelSoftmaxHead',
    'PartAffinityHead',
    'SoftArgmaxHead',
    'StackedHourglassHead',
    'TokenHead',
]
