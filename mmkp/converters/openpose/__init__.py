# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From published weights of OpenPose and its ports to mmkp's parameter names."""

from mmkp.converters.openpose.convert import convert_checkpoint, read_official

__all__ = ['convert_checkpoint', 'read_official']
