# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Pictures of keypoints, edges and what a discovery model makes of an image."""

from mmkp.visualization.discovery_grid import (
    discovery_grid,
    edge_weight_matrix,
    keypoint_sheet,
)
from mmkp.visualization.keypoints import draw_edges, draw_keypoints
