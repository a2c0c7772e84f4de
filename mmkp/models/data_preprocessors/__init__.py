# Copyright (c) mmkp authors. Licensed under Apache-2.0.
from mmkp.models.data_preprocessors.pyramid import PyramidDataPreprocessor

__all__ = ['PyramidDataPreprocessor']
