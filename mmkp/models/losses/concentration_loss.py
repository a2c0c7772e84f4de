# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Each keypoint's map must gather around one place."""

import math

from mmpose.registry import MODELS
from torch import Tensor

from mmkp.models.losses.view_loss import ViewLoss
from mmkp.ops.arguments import one_of
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.moments import spatial_mean_and_deviation


@MODELS.register_module()
class ConcentrationLoss(ViewLoss):
    """Spread of the keypoints' distributions (LMDIS, Zhang et al., CVPR 2018).

    With s_x, s_y the standard deviations of a distribution along the axes, in units
    of the longer edge of the image proper (LMDIS has 80 pixels, padded to 96):

    * ``variant='released'``: sum_k 2 pi e s^2, s = (s_x + s_y) / 2, the
      exponential of the entropy of an isotropic Gaussian of that deviation; what the
      authors' code has.
    * ``variant='paper'``: sum_k 2 pi e (s_x^2 + s_y^2)^2, the power that the paper
      prints (section 3.1), which hardly counts once the maps are small.

    LMDIS has ``both_views=True, loss_weight=100``.

    Args:
        variant: ``'released'`` or ``'paper'``.
        loss_weight: factor on the loss.
        both_views: take the mean over the image and its warp.

    Raises:
        ValueError: unknown ``variant``.
    """

    inputs: tuple[str, ...] = ('geometry', 'heatmaps')

    def __init__(
        self,
        variant: str = 'released',
        loss_weight: float = 1.0,
        both_views: bool = False,
    ) -> None:
        super().__init__(loss_weight, both_views)
        self.variant = one_of('variant', variant, ('released', 'paper'))

    def forward(
        self,
        geometry: MapGeometry,
        heatmaps: Tensor,
        warped_heatmaps: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            geometry: where the cells of the heatmaps lie.
            heatmaps: distributions over space, shape (B, K, h, w).
            warped_heatmaps: those of the warped image, likewise; with ``both_views``.

        Returns:
            Sum over keypoints, mean over images (and views), scalar, at least float32.
        """
        return self.mean_over_views(heatmaps, warped_heatmaps, geometry)

    def of_view(self, heatmaps: Tensor, geometry: MapGeometry) -> Tensor:
        """Compute the loss of one view, without the weight."""
        x = geometry.columns(heatmaps) / geometry.edge
        y = geometry.rows(heatmaps) / geometry.edge
        _, deviation = spatial_mean_and_deviation(heatmaps, x, y)
        if self.variant == 'released':
            spread = deviation.mean(-1).square()
        else:
            spread = deviation.square().sum(-1).square()
        return 2 * math.pi * math.e * spread.sum(1).mean()
