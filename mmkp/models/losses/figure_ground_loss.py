# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints belong to the figure, the rest to the background."""

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.border_background import border_background
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.precision import full_precision


@MODELS.register_module()
class FigureGroundLoss(nn.Module):
    """Agreement of a model's background with the one that the image's border shows.

    For :class:`LMDIS` on one object before a smooth background, whose likelihood b(u)
    is that of :func:`mmkp.ops.border_background.border_background`; SCOPS (Hung et al.,
    CVPR 2019, section 3.4) asks the same of a saliency map. Three terms:

    * the mean cross-entropy between b and the background's share of each cell;
    * ``mass_weight`` times the mass of the keypoints' distributions on the background,
      sum_k sum_u p_k(u) b(u), by which no keypoint is left beside the figure;
    * ``edge_weight`` times the mean squared difference between the edge map and 1 - b:
      the edges that draw the figure get their weights.

    Of the second view nothing is asked, equivariance carries it there. Where the object
    fills the border or the background is cluttered, b means little: leave it out.

    Args:
        loss_weight: factor on the loss.
        mass_weight: factor on the second term.
        edge_weight: factor on the third; 0 for a model without edges.
        tolerance: how far the background's values stray, in units of the images.

    Raises:
        ValueError: ``tolerance`` is not positive.
    """

    inputs: tuple[str, ...] = ('images', 'heatmaps', 'background', 'geometry')

    def __init__(
        self,
        loss_weight: float = 1.0,
        mass_weight: float = 0.2,
        edge_weight: float = 0.0,
        tolerance: float = 0.06,
    ) -> None:
        super().__init__()
        if not tolerance > 0:
            raise ValueError(f'tolerance must be positive, got {tolerance}')
        self.loss_weight = loss_weight
        self.mass_weight = mass_weight
        self.edge_weight = edge_weight
        self.tolerance = tolerance
        if edge_weight:
            self.inputs = (*self.inputs, 'edge_map')

    def forward(
        self,
        images: Tensor,
        heatmaps: Tensor,
        background: Tensor,
        geometry: MapGeometry,
        edge_map: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            images: network input with its padding, shape (B, C, H, W).
            heatmaps: keypoints' distributions over it, shape (B, K, h, w).
            background: the background's share of each cell, shape (B, h, w).
            geometry: of the heatmaps, which knows the padding.
            edge_map: of the image without its padding, shape (B, 1, H', W').

        Returns:
            Mean over images, scalar, at least float32.
        """
        x, y = geometry.padding
        height, width = images.shape[-2:]
        inside = images[..., y : height - y, x : width - x]
        likelihood = border_background(inside, self.tolerance)
        padded = F.pad(likelihood, (x, x, y, y), value=1.0)
        map_size = (background.shape[-2], background.shape[-1])
        target = F.adaptive_avg_pool2d(padded, map_size)
        share = full_precision(background).clamp(1e-4, 1 - 1e-4)
        with torch.autocast(images.device.type, enabled=False):
            # torch refuses NaN without a word; here it makes the loss NaN.
            loss = F.binary_cross_entropy(share.nan_to_num(0.5), target.nan_to_num(0.5))
            loss = loss + 0 * (share.sum() + target.sum())
            mass = (full_precision(heatmaps) * target[:, None]).sum((1, 2, 3)).mean()
        loss = loss + self.mass_weight * mass
        if edge_map is not None:
            loss = loss + self.edge_weight * F.mse_loss(edge_map[:, 0], 1 - likelihood)
        return self.loss_weight * loss
