# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Models as graphs of tensor operations, from images to keypoints or to people."""

from mmkp.deployment.graphs.build import build_graph
from mmkp.deployment.graphs.keypoint_graph import KeypointGraph
from mmkp.deployment.graphs.normalization import InputNormalization

__all__ = ['InputNormalization', 'KeypointGraph', 'build_graph']
