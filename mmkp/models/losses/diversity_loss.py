# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints must stand in different places."""

import warnings

import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor

from mmkp.models.losses.view_loss import ViewLoss
from mmkp.ops.arguments import one_of
from mmkp.ops.heatmaps.window_sums import window_sums

VARIANTS = ('max', 'count_minus_max', 'quadratic')


@MODELS.register_module()
class DiversityLoss(ViewLoss):
    """Mass that keypoints' distributions share with one another.

    Thewlis et al., ICCV 2017, equations 7 and 8, on distributions p_k that are pooled
    over windows of m x m cells, which keeps keypoints at least m cells apart:

    * ``variant='max'``: sum_u (sum_k p_k(u) - max_k p_k(u)). Zero when no two overlap.
    * ``variant='count_minus_max'``: K - sum_u max_k p_k(u), as it is often
      written. Equal to ``'max'`` where pooling keeps the mass of each map, larger by
      the mass that is lost elsewhere.
    * ``variant='quadratic'``: sum_u sum_{k != l} p_k(u) p_l(u), ordered pairs: each
      pair counts twice. It has a gradient to all maps that overlap, not to all but one.

    The default pools by averages over all windows that touch the map, so that every
    cell counts m^2 / m^2 times. FSE's release has ``variant='count_minus_max',
    padded=False`` and weight 500 on each view, which adds a constant and sees less of
    the border. Sums over windows side by side are ``pooling='sum', stride=m,
    padded=False``.

    Args:
        window: side m of the pooling window in heatmap cells.
        loss_weight: factor on the loss.
        variant: ``'max'``, ``'count_minus_max'`` or ``'quadratic'``.
        stride: step from one window to the next in cells.
        pooling: ``'average'`` or ``'sum'`` over a window.
        padded: surround the map by m - 1 empty cells, so that each of its cells lies
            in the same number of windows; else only windows inside the map count.
        both_views: take the mean over the image and its warp; with the sum of two
            losses, as in FSE, ``loss_weight`` is twice that of one.

    Raises:
        ValueError: an argument has no meaning.
    """

    inputs: tuple[str, ...] = ('heatmaps',)

    def __init__(
        self,
        window: int = 4,
        loss_weight: float = 1.0,
        variant: str = 'max',
        stride: int = 1,
        pooling: str = 'average',
        padded: bool = True,
        both_views: bool = False,
    ) -> None:
        super().__init__(loss_weight, both_views)
        if window < 1 or stride < 1:
            raise ValueError(
                f'window and stride must be at least 1, got {window} and {stride}'
            )
        if variant == 'count_minus_max' and pooling == 'sum' and stride < window:
            warnings.warn(
                f'DiversityLoss counts mass {window / stride:g}^2 times and can become '
                "negative: take pooling='average', stride=window or variant='max'",
                stacklevel=2,
            )
        self.window = window
        self.variant = one_of('variant', variant, VARIANTS)
        self.stride = stride
        self.pooling = one_of('pooling', pooling, ('average', 'sum'))
        self.padded = padded

    def pool(self, heatmaps: Tensor) -> Tensor:
        """Pool the maps over windows.

        Args:
            heatmaps: distributions over space, shape (B, K, h, w).

        Returns:
            Mass of each window, shape (B, K, h', w').

        Raises:
            ValueError: no window lies inside the map.
        """
        if not self.padded and min(heatmaps.shape[-2:]) < self.window:
            raise ValueError(
                f'window={self.window} is larger than the heatmaps of '
                f'{tuple(heatmaps.shape[-2:])} cells: lower it or set padded=True'
            )
        # Padded, every cell lies in the same number of windows: the pooled maps keep
        # their mass, and zero is reached at the border as well.
        divisor = 1 if self.pooling == 'sum' else self.window**2
        if self.stride == 1:
            return window_sums(heatmaps, self.window, self.padded) / divisor
        if self.padded:
            heatmaps = F.pad(heatmaps, (self.window - 1,) * 4)
        return F.avg_pool2d(
            heatmaps, self.window, self.stride, divisor_override=divisor
        )

    def forward(
        self, heatmaps: Tensor, warped_heatmaps: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            heatmaps: distributions over space, shape (B, K, h, w).
            warped_heatmaps: those of the warped image, likewise; with ``both_views``.

        Returns:
            Mean over images (and views), scalar, at least float32; in [0, K] for the
            default.
        """
        return self.mean_over_views(heatmaps, warped_heatmaps)

    def of_view(self, heatmaps: Tensor) -> Tensor:
        """Compute the loss of one view, without the weight."""
        pooled = self.pool(heatmaps)
        if self.variant == 'quadratic':
            maps = pooled.flatten(2)
            # Only the upper half: the large diagonal would drown small overlaps.
            pairs = (maps @ maps.transpose(1, 2)).triu(1)
            return 2 * pairs.sum((1, 2)).mean()
        largest = pooled.amax(1).sum((1, 2))
        if self.variant == 'count_minus_max':
            return (heatmaps.shape[1] - largest).mean()
        return (pooled.sum((1, 2, 3)) - largest).mean()
