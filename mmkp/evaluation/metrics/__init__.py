# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Metrics, registered in MMPose's ``METRICS``."""

from .bottomup_coco_metric import BottomupCocoMetric
from .discovered_keypoint_metric import DiscoveredKeypointMetric
from .keypoint_collapse_metric import KeypointCollapseMetric
from .object_share_metric import ObjectShareMetric
from .percentage_of_correct_keypoints import PercentageOfCorrectKeypoints
from .temporal_consistency_metric import TemporalConsistencyMetric

__all__ = [
    'BottomupCocoMetric',
    'DiscoveredKeypointMetric',
    'KeypointCollapseMetric',
    'ObjectShareMetric',
    'PercentageOfCorrectKeypoints',
    'TemporalConsistencyMetric',
]
