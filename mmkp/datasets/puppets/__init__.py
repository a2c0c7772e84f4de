# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Procedurally drawn articulated figures with exact ground truth."""

from .composition import compose, count_figures
from .file_backend import PuppetBackend, parse_puppet_uri, puppet_uri
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
    'PuppetBackend',
    'PuppetSettings',
    'Scene',
    'compose',
    'count_figures',
    'draw',
    'joint_order',
    'parse_puppet_uri',
    'puppet_metainfo',
    'puppet_uri',
    'render',
    'reorder_joints',
]
