"""Heads that MMPose lacks."""

from mmkp.models.heads.part_affinity_head import PartAffinityHead
from mmkp.models.heads.spatial_expectation_head import SpatialExpectationHead

__all__ = ['PartAffinityHead', 'SpatialExpectationHead']
