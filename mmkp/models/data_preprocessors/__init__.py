# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Data preprocessors that MMPose lacks."""

from mmkp.models.data_preprocessors.frame_pair_data_preprocessor import (
    FramePairDataPreprocessor,
)

__all__ = ['FramePairDataPreprocessor']
