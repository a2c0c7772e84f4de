"""Heads that MMPose lacks."""

from mmkp.models.heads.spatial_expectation_head import SpatialExpectationHead

__all__ = ['SpatialExpectationHead']
