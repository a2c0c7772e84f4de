"""Models that discover keypoints without annotations."""

from mmkp.models.unsupervised.autolink import AutoLink
from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator
from mmkp.models.unsupervised.factorized_spatial_embedding import (
    FactorizedSpatialEmbedding,
)
from mmkp.models.unsupervised.imm import IMM
from mmkp.models.unsupervised.lmdis import LMDIS
from mmkp.models.unsupervised.stable_keypoints import StableKeypoints

__all__ = [
    'IMM',
    'LMDIS',
    'AutoLink',
    'FactorizedSpatialEmbedding',
    'StableKeypoints',
    'UnsupervisedPoseEstimator',
]
