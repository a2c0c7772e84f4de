# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Evaluation of people put together bottom-up, and of discovered keypoints."""

from .metrics import BottomupCocoMetric, DiscoveredKeypointMetric

__all__ = ['BottomupCocoMetric', 'DiscoveredKeypointMetric']
