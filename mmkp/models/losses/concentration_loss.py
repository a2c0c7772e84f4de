# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Each keypoint's map must gather around one place."""

import math

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.heatmaps.moments import full_precision, spatial_mean_and_deviation
from mmkp.ops.heatmaps.soft_argmax import Grid, cell_positions
from mmkp.ops.length_unit import check_length_unit, length_unit


@MODELS.register_module()
class ConcentrationLoss(nn.Module):
    """Spread of the keypoints' distributions (LMDIS, Zhang et al., CVPR 2018).

    With s_x, s_y the standard deviations of a distribution along the axes:

    * ``variant='released'``: sum_k 2 pi e s^2, s = (s_x + s_y) / 2, the
      exponential of the entropy of an isotropic Gaussian of that deviation; what the
      authors' code has.
    * ``variant='paper'``: sum_k 2 pi e (s_x^2 + s_y^2)^2, the power that the paper
      prints (section 3.1), which hardly counts once the maps are small.

    LMDIS has 80 pixels in frames of 96, ``frame_ratio=80 / 96, grid='cell_centres',
    both_views=True, loss_weight=100``.

    Args:
        variant: ``'released'`` or ``'paper'``.
        loss_weight: factor on the loss.
        grid: where the cells lie, as in the head.
        unit: unit of length, see :func:`mmkp.ops.length_unit.length_unit`.
        frame_ratio: share of the network input's side that the image proper takes;
            lengths are relative to it.
        both_views: take the mean over the image and its warp.

    Raises:
        ValueError: an argument has no meaning.
    """

    #: Of the images only their size is read.
    inputs: tuple[str, ...] = ('images', 'heatmaps')

    def __init__(
        self,
        variant: str = 'released',
        loss_weight: float = 1.0,
        grid: Grid = 'inclusive',
        unit: str | float = 'longer_edge',
        frame_ratio: float = 1.0,
        both_views: bool = False,
    ) -> None:
        super().__init__()
        if variant not in ('released', 'paper'):
            raise ValueError(f"variant is {variant!r}, must be 'released' or 'paper'")
        if not frame_ratio > 0:
            raise ValueError(f'frame_ratio must be positive, got {frame_ratio}')
        check_length_unit(unit)
        self.variant = variant
        self.loss_weight = loss_weight
        self.grid = grid
        self.unit = unit
        self.frame_ratio = frame_ratio
        if both_views:
            self.inputs = ('images', 'heatmaps', 'warped_heatmaps')

    def forward(
        self, images: Tensor, heatmaps: Tensor, warped_heatmaps: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            images: network input, shape (B, C, H, W).
            heatmaps: distributions over space, shape (B, K, h, w).
            warped_heatmaps: those of the warped image, likewise; with ``both_views``.

        Returns:
            Sum over keypoints, mean over images (and views), scalar, at least float32.
        """
        views = [heatmaps] if warped_heatmaps is None else [heatmaps, warped_heatmaps]
        image_size = (images.shape[-1], images.shape[-2])
        values = [self._of_view(view, image_size) for view in views]
        return self.loss_weight * torch.stack(values).mean()

    def _of_view(self, heatmaps: Tensor, image_size: tuple[int, int]) -> Tensor:
        heatmaps = full_precision(heatmaps)
        map_size = (heatmaps.shape[-1], heatmaps.shape[-2])
        units = length_unit(self.unit, image_size, map_size, self.grid)
        x, y = (
            cell_positions(cells, pixels, self.grid, heatmaps)
            / (unit * self.frame_ratio)
            for cells, pixels, unit in zip(map_size, image_size, units, strict=True)
        )
        _, deviation = spatial_mean_and_deviation(heatmaps, x, y)
        if self.variant == 'released':
            spread = deviation.mean(-1).square()
        else:
            spread = deviation.square().sum(-1).square()
        return 2 * math.pi * math.e * spread.sum(1).mean()
