# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Boxes of objects in images, from detectors of other projects."""

from .box_detector import BoxDetector, build_detector, is_detector_file
from .cached_boxes import cached_box_file
from .find_boxes import find_boxes
from .mmdet_detector import MMDetDetector
from .yolox import decode_yolox
from .yolox_detector import YoloxDetector

__all__ = [
    'BoxDetector',
    'MMDetDetector',
    'YoloxDetector',
    'build_detector',
    'cached_box_file',
    'decode_yolox',
    'find_boxes',
    'is_detector_file',
]
