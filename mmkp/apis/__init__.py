# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The few functions that a notebook needs."""

from mmkp.apis.discover import discover
from mmkp.apis.drawing import draw_people, draw_predictions, skeleton_style
from mmkp.apis.model import load_model
from mmkp.apis.predict_files import predict_files
from mmkp.apis.predict_people import predict_people
from mmkp.apis.predict_topdown import predict_topdown

__all__ = [
    'discover',
    'draw_people',
    'draw_predictions',
    'load_model',
    'predict_files',
    'predict_people',
    'predict_topdown',
    'skeleton_style',
]
