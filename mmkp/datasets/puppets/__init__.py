# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Procedurally drawn articulated figures with exact ground truth."""

from .composition import compose, count_figures
from .scene import Scene, draw, render
from .settings import PuppetSettings
from .skeleton import (
    COCO_JOINTS,
    JOINT_ORDERS,
    OPENPOSE_JOINTS,
    joint_order,
    puppet_metainfo,
    reorder_joints,
)

__all__ = [
    'COCO_JOINTS',
    'JOINT_ORDERS',
    'OPENPOSE_JOINTS',
    'PuppetSettings',
    'Scene',
    'compose',
    'count_figures',
    'draw',
    'joint_order',
    'puppet_metainfo',
    'render',
    'reorder_joints',
]
