# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints must keep a distance from one another."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.heatmaps.moments import full_precision, squared_pair_distances
from mmkp.ops.length_unit import check_length_unit, length_unit


@MODELS.register_module()
class SeparationLoss(nn.Module):
    """Gaussian of the distances between keypoints (LMDIS, Zhang et al., CVPR 2018).

    sum_{k != l} exp(-|x_k - x_l|^2 / (2 b^2)) with the bandwidth b, section 3.1:
    ordered pairs, each pair counts twice. Two keypoints in exactly one place feel no
    force, those next to one another push apart.

    LMDIS has 80 pixels in frames of 96, ``frame_ratio=80 / 96, both_views=True`` and
    ``bandwidth=0.08, loss_weight=20`` for 10 keypoints, ``0.04`` and ``10`` for 30.

    Args:
        bandwidth: b in units of length: the distance over which keypoints repel.
        loss_weight: factor on the loss.
        unit: unit of length, see :func:`mmkp.ops.length_unit.length_unit`; not
            ``'cells'``.
        frame_ratio: share of the network input's side that the image proper takes;
            lengths are relative to it.
        both_views: take the mean over the image and its warp.

    Raises:
        ValueError: an argument has no meaning.
    """

    #: Of the images only their size is read.
    inputs: tuple[str, ...] = ('images', 'keypoints')

    def __init__(
        self,
        bandwidth: float = 0.08,
        loss_weight: float = 1.0,
        unit: str | float = 'longer_edge',
        frame_ratio: float = 1.0,
        both_views: bool = False,
    ) -> None:
        super().__init__()
        for name, value in (('bandwidth', bandwidth), ('frame_ratio', frame_ratio)):
            if not value > 0:
                raise ValueError(f'{name} must be positive, got {value}')
        check_length_unit(unit)
        if unit == 'cells':
            raise ValueError(
                'SeparationLoss sees no heatmaps: give the size of a cell in pixels '
                "instead of unit='cells'"
            )
        self.bandwidth = bandwidth
        self.loss_weight = loss_weight
        self.unit = unit
        self.frame_ratio = frame_ratio
        if both_views:
            self.inputs = ('images', 'keypoints', 'warped_keypoints')

    def forward(
        self, images: Tensor, keypoints: Tensor, warped_keypoints: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            images: network input, shape (B, C, H, W).
            keypoints: (x, y) in pixels of the network input, shape (B, K, 2).
            warped_keypoints: those of the warped image, likewise; with ``both_views``.

        Returns:
            Sum over ordered pairs, mean over images (and views), scalar in
            [0, K (K - 1)] times the weight, at least float32.
        """
        views = [keypoints]
        if warped_keypoints is not None:
            views.append(warped_keypoints)
        length, _ = length_unit(self.unit, (images.shape[-1], images.shape[-2]))
        reach = self.bandwidth * self.frame_ratio * length
        values = []
        for points in views:
            squared = squared_pair_distances(full_precision(points) / reach)
            # Only the upper half: a diagonal of ones would drown small overlaps.
            pairs = (-squared / 2).exp().triu(1)
            values.append(2 * pairs.sum((1, 2)).mean())
        return self.loss_weight * torch.stack(values).mean()
