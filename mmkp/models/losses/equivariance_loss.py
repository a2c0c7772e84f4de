# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints must move with the image."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.losses.mean_over_processes import mean_over_processes
from mmkp.ops.arguments import one_of
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.moments import expected_squared_distance
from mmkp.ops.precision import full_precision, per_axis
from mmkp.ops.warps.warp import Warp

VARIANTS: dict[str, tuple[str, ...]] = {
    'expected': ('geometry', 'warp', 'heatmaps', 'warped_heatmaps'),
    'means': ('geometry', 'warp', 'keypoints', 'warped_keypoints'),
}


@MODELS.register_module()
class EquivarianceLoss(nn.Module):
    """Squared distance between keypoints of an image and of its warp.

    With p the distribution of a keypoint over positions u of the image, q its
    distribution over positions v of the warped image and g the map from the warped
    image to the image:

    * ``variant='expected'``: E_p E_q |u - g(v)|^2 = E_p |u|^2 + E_q |g(v)|^2
      - 2 <E_p u, E_q g(v)> (Thewlis et al., ICCV 2017, equation 5), in half sides of
      the network input, in which it spans [-1, 1]. The expanded form costs O(HW), and
      its minimum is a peaked map. FSE's release measures in cells: ``loss_weight`` is
      the square of the cells in half a side.
    * ``variant='means'``: |E_p u - g(E_q v)|^2, of the keypoints themselves (Zhang et
      al., LMDIS, CVPR 2018, section 3.1), as released: in half edges of the padded
      input, divided by image edge / padded edge (not by its square). It leaves the
      maps as diffuse as they are, which another loss (:class:`ConcentrationLoss`) has
      to prevent. LMDIS has ``keypoint_reduction='sum', loss_weight=1e4``.

    Where the warp is known at some positions only (optical flow), each term counts by
    ``warp.validity``.

    Args:
        loss_weight: factor on the loss.
        variant: ``'expected'`` or ``'means'``.
        keypoint_reduction: ``'mean'`` over the keypoints or their ``'sum'``; over
            images it is the mean.

    Raises:
        ValueError: an argument has no meaning.
    """

    inputs: tuple[str, ...] = VARIANTS['expected']

    def __init__(
        self,
        loss_weight: float = 1.0,
        variant: str = 'expected',
        keypoint_reduction: str = 'mean',
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.variant = one_of('variant', variant, tuple(VARIANTS))
        self.keypoint_reduction = one_of(
            'keypoint_reduction', keypoint_reduction, ('mean', 'sum')
        )
        self.inputs = VARIANTS[variant]

    def forward(
        self,
        geometry: MapGeometry,
        warp: Warp,
        heatmaps: Tensor | None = None,
        warped_heatmaps: Tensor | None = None,
        keypoints: Tensor | None = None,
        warped_keypoints: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss from what its variant needs, see ``inputs``.

        Args:
            geometry: where the cells of both views' heatmaps lie.
            warp: maps positions in the warped image to the image, in pixels.
            heatmaps: distributions over the image, shape (B, K, h, w).
            warped_heatmaps: distributions over the warped image, (B, K, h, w).
            keypoints: (x, y) in pixels of the image, shape (B, K, 2).
            warped_keypoints: (x, y) in pixels of the warped image, (B, K, 2).

        Returns:
            Mean over images, and mean or sum over keypoints, scalar, at least float32.

        Raises:
            ValueError: what the variant needs is missing.
        """
        of_means = self.variant == 'means'
        first = keypoints if of_means else heatmaps
        second = warped_keypoints if of_means else warped_heatmaps
        if first is None or second is None:
            raise ValueError(f'variant={self.variant!r} takes {", ".join(self.inputs)}')
        compute = _squared_distance if of_means else _expected_squared_distance
        with torch.autocast(first.device.type, enabled=False):
            total, weight = compute(
                full_precision(first), full_precision(second), warp, geometry
            )
            # One mean over images and keypoints, each by how far its warp is known.
            loss = mean_over_processes(total, weight)
        if self.keypoint_reduction == 'sum':
            loss = loss * first.shape[1]
        return self.loss_weight * loss


def _expected_squared_distance(
    p: Tensor, q: Tensor, warp: Warp, geometry: MapGeometry
) -> tuple[Tensor, Tensor]:
    """E_p E_q |u - g(v)|^2 in half sides, by how far the warp is known, and that."""
    cells = geometry.centers(p)
    batch = cells.expand(len(p), -1, -1)
    # Centered on the image, so that the difference of squares stays exact.
    center = per_axis([(side - 1) / 2 for side in geometry.image_size], p)
    return expected_squared_distance(
        p.flatten(2),
        (cells - center) / geometry.half_side,
        q.flatten(2),
        (warp.points_to_source(batch) - center) / geometry.half_side,
        warp.validity(batch),
    )


def _squared_distance(
    points: Tensor, warped: Tensor, warp: Warp, geometry: MapGeometry
) -> tuple[Tensor, Tensor]:
    """|x - g(y)|^2 in LMDIS' unit, by how far the warp is known, and that."""
    difference = points - warp.points_to_source(warped)
    # (2 / padded edge)^2 / (edge / padded edge)
    squared = 4 / (geometry.padded_edge * geometry.edge) * difference.square().sum(-1)
    weight = warp.validity(warped).to(squared.dtype)
    return weight * squared, weight
