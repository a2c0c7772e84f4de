"""Losses; those without annotations name what they take in ``inputs``."""

from mmkp.models.losses.concentration_loss import ConcentrationLoss
from mmkp.models.losses.diversity_loss import DiversityLoss
from mmkp.models.losses.equivariance_loss import EquivarianceLoss
from mmkp.models.losses.figure_coverage_loss import FigureCoverageLoss
from mmkp.models.losses.figure_ground_loss import FigureGroundLoss
from mmkp.models.losses.flip_consistency_loss import FlipConsistencyLoss
from mmkp.models.losses.keypoint_regression_loss import KeypointRegressionLoss
from mmkp.models.losses.localization_loss import LocalizationLoss
from mmkp.models.losses.map_equivariance_loss import MapEquivarianceLoss
from mmkp.models.losses.part_affinity_loss import PartAffinityLoss
from mmkp.models.losses.perceptual_loss import PerceptualLoss
from mmkp.models.losses.separation_loss import SeparationLoss
from mmkp.models.losses.squared_error_loss import SquaredErrorLoss

__all__ = [
    'ConcentrationLoss',
    'DiversityLoss',
    'EquivarianceLoss',
    'FigureCoverageLoss',
    'FigureGroundLoss',
    'FlipConsistencyLoss',
    'KeypointRegressionLoss',
    'LocalizationLoss',
    'MapEquivarianceLoss',
    'PartAffinityLoss',
    'PerceptualLoss',
    'SeparationLoss',
    'SquaredErrorLoss',
]
