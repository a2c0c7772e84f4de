# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Evaluation of people put together bottom-up, and of discovered keypoints."""

from mmkp.evaluation import metrics
from mmkp.evaluation.metrics import *

__all__ = ['metrics']
__all__ += metrics.__all__
