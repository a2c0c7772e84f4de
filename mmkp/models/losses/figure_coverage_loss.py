# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every part of the figure has a keypoint near."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.border_background import border_background
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.precision import full_precision


@MODELS.register_module()
class FigureCoverageLoss(nn.Module):
    """Mean squared distance of the figure's pixels from the nearest keypoint.

    That is what k-means makes small (Lloyd, 1982): the keypoints spread over the whole
    figure, as centers of its parts, where :class:`SeparationLoss` is content with a
    distance between them. The figure is what the border's smooth background does not
    explain, f = 1 - b of :func:`mmkp.ops.border_background.border_background`;
    sum_u f(u) min_k |u - x_k|^2 / sum_u f(u), lengths in units of the longer edge of
    the image proper. Of the second view nothing is asked, equivariance carries it
    there.

    Args:
        loss_weight: factor on the loss.
        tolerance: how far the background's values stray, in units of the images.

    Raises:
        ValueError: ``tolerance`` is not positive.
    """

    inputs: tuple[str, ...] = ('images', 'keypoints', 'geometry')

    def __init__(self, loss_weight: float = 1.0, tolerance: float = 0.06) -> None:
        super().__init__()
        if not tolerance > 0:
            raise ValueError(f'tolerance must be positive, got {tolerance}')
        self.loss_weight = loss_weight
        self.tolerance = tolerance

    def forward(
        self, images: Tensor, keypoints: Tensor, geometry: MapGeometry
    ) -> Tensor:
        """Compute the loss.

        Args:
            images: network input with its padding, shape (B, C, H, W).
            keypoints: (x, y) in pixels of it, shape (B, K, 2).
            geometry: of the heatmaps, which knows the padding.

        Returns:
            Mean over images, scalar, at least float32; 0 of an image without figure.
        """
        left, top = geometry.padding
        height, width = images.shape[-2:]
        inside = images[..., top : height - top, left : width - left]
        figure = 1 - border_background(inside, self.tolerance)
        points = full_precision(keypoints)[..., None, None]
        x = torch.arange(left, width - left, device=images.device)
        y = torch.arange(top, height - top, device=images.device)
        squares = (points[:, :, 0] - x).square()
        squares = squares + (points[:, :, 1] - y[:, None]).square()
        nearest = squares.amin(1) / geometry.edge**2
        covered = (figure * nearest).sum((1, 2)) / figure.sum((1, 2)).clamp_min(1e-6)
        return self.loss_weight * covered.mean()
