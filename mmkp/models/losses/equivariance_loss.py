# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints must move with the image."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.heatmaps.moments import expected_squared_distance, full_precision
from mmkp.ops.heatmaps.soft_argmax import Grid, cell_positions
from mmkp.ops.length_unit import check_length_unit, length_unit
from mmkp.ops.warps.warp import Warp

VARIANTS: dict[str, tuple[str, ...]] = {
    'expected': ('heatmaps', 'warped_heatmaps', 'warp'),
    'means': ('keypoints', 'warped_keypoints', 'warp'),
}


@MODELS.register_module()
class EquivarianceLoss(nn.Module):
    """Squared distance between keypoints of an image and of its warp.

    With p the distribution of a keypoint over positions u of the image, q its
    distribution over positions v of the warped image and g the map from the warped
    image to the image:

    * ``variant='expected'``: E_p E_q |u - g(v)|^2 = E_p |u|^2 + E_q |g(v)|^2
      - 2 <E_p u, E_q g(v)> (Thewlis et al., ICCV 2017, equation 5). The expanded form
      costs O(HW), and its minimum is a peaked map.
    * ``variant='means'``: |E_p u - g(E_q v)|^2, of the keypoints themselves (Zhang et
      al., LMDIS, CVPR 2018, section 3.1). It leaves the maps as diffuse as they are,
      which another loss (:class:`ConcentrationLoss`) has to prevent.

    Where the warp is known at some positions only (optical flow), each term counts by
    ``warp.validity``.

    The releases measure in other units: the code of Thewlis' method by FSE has
    ``unit='cells'``, weight 1; that of LMDIS ``variant='means',
    keypoint_reduction='sum', unit='half_longer_edge', frame_ratio=80 / 96,
    loss_weight=1e4``.

    Args:
        loss_weight: factor on the loss.
        grid: where the cells lie, as in the head; for ``'expected'``.
        variant: ``'expected'`` or ``'means'``.
        unit: unit of length, see :func:`mmkp.ops.length_unit.length_unit`.
        keypoint_reduction: ``'mean'`` over the keypoints or their ``'sum'``; over
            images it is the mean.
        frame_ratio: the loss is divided by it. LMDIS pads images of 80 to frames of
            96 pixels and divides by their ratio, not by its square.

    Raises:
        ValueError: an argument has no meaning.
    """

    inputs: tuple[str, ...] = VARIANTS['expected']

    def __init__(
        self,
        loss_weight: float = 1.0,
        grid: Grid = 'inclusive',
        variant: str = 'expected',
        unit: str | float = 'half_longer_side',
        keypoint_reduction: str = 'mean',
        frame_ratio: float = 1.0,
    ) -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise ValueError(
                f'variant is {variant!r}, must be one of {tuple(VARIANTS)}'
            )
        if keypoint_reduction not in ('mean', 'sum'):
            raise ValueError(
                f"keypoint_reduction is {keypoint_reduction!r}, must be 'mean' or 'sum'"
            )
        if not frame_ratio > 0:
            raise ValueError(f'frame_ratio must be positive, got {frame_ratio}')
        check_length_unit(unit)
        if variant == 'means' and unit == 'cells':
            raise ValueError(
                "variant='means' sees no heatmaps: give the size of a cell in pixels "
                "instead of unit='cells'"
            )
        self.loss_weight = loss_weight
        self.grid = grid
        self.variant = variant
        self.unit = unit
        self.keypoint_reduction = keypoint_reduction
        self.frame_ratio = frame_ratio
        self.inputs = VARIANTS[variant]

    def forward(
        self,
        heatmaps: Tensor | None = None,
        warped_heatmaps: Tensor | None = None,
        warp: Warp | None = None,
        keypoints: Tensor | None = None,
        warped_keypoints: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss from what its variant needs, see ``inputs``.

        Args:
            heatmaps: distributions over the image, shape (B, K, h, w).
            warped_heatmaps: distributions over the warped image, (B, K, h, w).
            warp: maps positions in the warped image to the image, in pixels.
            keypoints: (x, y) in pixels of the image, shape (B, K, 2).
            warped_keypoints: (x, y) in pixels of the warped image, (B, K, 2).

        Returns:
            Mean over images, and mean or sum over keypoints, scalar, at least float32.

        Raises:
            ValueError: what the variant needs is missing.
        """
        first, second = heatmaps, warped_heatmaps
        if self.variant == 'means':
            first, second = keypoints, warped_keypoints
        if first is None or second is None or warp is None:
            raise ValueError(f'variant={self.variant!r} takes {", ".join(self.inputs)}')
        compute = self._of_means if self.variant == 'means' else self._expected
        with torch.autocast(first.device.type, enabled=False):
            total, weight = compute(full_precision(first), full_precision(second), warp)
            # One mean over images and keypoints, each by how far its warp is known.
            smallest = torch.finfo(weight.dtype).tiny
            loss = total.sum() / weight.sum().clamp_min(smallest)
        if self.keypoint_reduction == 'sum':
            loss = loss * first.shape[1]
        return self.loss_weight / self.frame_ratio * loss

    def _expected(self, p: Tensor, q: Tensor, warp: Warp) -> tuple[Tensor, Tensor]:
        height, width = p.shape[-2:]
        x = cell_positions(width, warp.image_size[0], self.grid, p)
        y = cell_positions(height, warp.image_size[1], self.grid, p)
        cells = torch.stack(torch.meshgrid(x, y, indexing='xy'), -1).view(1, -1, 2)
        batch = cells.expand(len(p), -1, -1)
        # Centred on the image, so that the difference of squares stays exact.
        center = p.new_tensor(warp.image_size).sub(1).div(2)
        unit = p.new_tensor(
            length_unit(self.unit, warp.image_size, (width, height), self.grid)
        )
        return expected_squared_distance(
            p.flatten(2),
            (cells[0] - center) / unit,
            q.flatten(2),
            (warp.points_to_source(batch) - center) / unit,
            warp.validity(batch),
        )

    def _of_means(
        self, points: Tensor, warped: Tensor, warp: Warp
    ) -> tuple[Tensor, Tensor]:
        unit = points.new_tensor(length_unit(self.unit, warp.image_size))
        difference = (points - warp.points_to_source(warped)) / unit
        weight = warp.validity(warped).to(difference.dtype)
        return weight * difference.square().sum(-1), weight
