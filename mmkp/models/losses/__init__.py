"""Losses; those without annotations name what they take in ``inputs``."""

from mmkp.models.losses.diversity_loss import DiversityLoss
from mmkp.models.losses.equivariance_loss import EquivarianceLoss
from mmkp.models.losses.part_affinity_loss import PartAffinityLoss
from mmkp.models.losses.perceptual_loss import PerceptualLoss

__all__ = ['DiversityLoss', 'EquivarianceLoss', 'PartAffinityLoss', 'PerceptualLoss']
