"""mmkp: part affinity fields, stacked hourglass and unsupervised keypoints for MMPose."""

from mmkp.version import __version__

__all__ = ['__version__']
