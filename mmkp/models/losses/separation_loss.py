# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints must keep a distance from one another."""

from mmpose.registry import MODELS
from torch import Tensor

from mmkp.models.losses.view_loss import ViewLoss
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.moments import squared_pair_distances


@MODELS.register_module()
class SeparationLoss(ViewLoss):
    """Gaussian of the distances between keypoints (LMDIS, Zhang et al., CVPR 2018).

    sum_{k != l} exp(-|x_k - x_l|^2 / (2 b^2)) with the bandwidth b, section 3.1:
    ordered pairs, each pair counts twice. Two keypoints in exactly one place feel no
    force, those next to one another push apart. Lengths are in units of the longer
    edge of the image proper (LMDIS has 80 pixels, padded to 96).

    LMDIS has ``both_views=True`` and ``bandwidth=0.08, loss_weight=20`` for 10
    keypoints, ``0.04`` and ``10`` for 30.

    Args:
        bandwidth: b, the distance over which keypoints repel.
        loss_weight: factor on the loss.
        both_views: take the mean over the image and its warp.

    Raises:
        ValueError: ``bandwidth`` is not positive.
    """

    inputs: tuple[str, ...] = ('geometry', 'keypoints')

    def __init__(
        self,
        bandwidth: float = 0.08,
        loss_weight: float = 1.0,
        both_views: bool = False,
    ) -> None:
        super().__init__(loss_weight, both_views)
        if not bandwidth > 0:
            raise ValueError(f'bandwidth must be positive, got {bandwidth}')
        self.bandwidth = bandwidth

    def forward(
        self,
        geometry: MapGeometry,
        keypoints: Tensor,
        warped_keypoints: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            geometry: of the heatmaps, for the length of the image's edge.
            keypoints: (x, y) in pixels of the network input, shape (B, K, 2).
            warped_keypoints: those of the warped image, likewise; with ``both_views``.

        Returns:
            Sum over ordered pairs, mean over images (and views), scalar in
            [0, K (K - 1)] times the weight, at least float32.
        """
        return self.mean_over_views(keypoints, warped_keypoints, geometry)

    def of_view(self, keypoints: Tensor, geometry: MapGeometry) -> Tensor:
        """Compute the loss of one view, without the weight."""
        reach = self.bandwidth * geometry.edge
        squared = squared_pair_distances(keypoints / reach)
        # Only the upper half: a diagonal of ones would drown small overlaps.
        pairs = (-squared / 2).exp().triu(1)
        return 2 * pairs.sum((1, 2)).mean()
