# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The few functions that a notebook needs."""

from mmkp.apis.discover import discover
from mmkp.apis.model import load_model
from mmkp.apis.predict_files import draw_predictions, predict_files

__all__ = ['discover', 'draw_predictions', 'load_model', 'predict_files']
