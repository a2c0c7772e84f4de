# Copyright (c) mmkp authors. Licensed under Apache-2.0.
from mmkp.models.pose_estimators.pyramid import PyramidPoseEstimator

__all__ = ['PyramidPoseEstimator']
