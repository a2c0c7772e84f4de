# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Evaluation of discovered keypoints."""

from .metrics import DiscoveredKeypointMetric

__all__ = ['DiscoveredKeypointMetric']
