"""Models that discover keypoints without annotations."""

from mmkp.models.unsupervised.autolink import AutoLink
from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator

__all__ = ['AutoLink', 'UnsupervisedPoseEstimator']
