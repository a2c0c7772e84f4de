"""Losses that need no annotations; ``inputs`` names the outputs each one takes."""

from mmkp.models.losses.diversity_loss import DiversityLoss
from mmkp.models.losses.equivariance_loss import EquivarianceLoss
from mmkp.models.losses.perceptual_loss import PerceptualLoss

__all__ = ['DiversityLoss', 'EquivarianceLoss', 'PerceptualLoss']
