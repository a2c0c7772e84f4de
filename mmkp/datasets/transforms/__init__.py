# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Transforms that MMPose lacks."""

from mmkp.datasets.transforms.load_verified_image import LoadVerifiedImage
from mmkp.datasets.transforms.topdown_resize import TopdownResize

__all__ = ['LoadVerifiedImage', 'TopdownResize']
