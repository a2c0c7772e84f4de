# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints that change places when the image is mirrored."""

from collections.abc import Sequence

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.geometry import MapGeometry
from mmkp.ops.mirrored_keypoints import mirror_cost, mirror_partners
from mmkp.ops.precision import full_precision


@MODELS.register_module()
class FlipConsistencyLoss(nn.Module):
    """Squared distance of each keypoint of a pair from its partner's mirror image.

    The mean over b, i of |m_i - k_p(i)|^2 with keypoints k of an image, m those of its
    mirror image brought back, and the partner p(i). Pairs are those of the moment, by
    the running mean of :func:`mirror_cost`; a pair counts once it costs less than
    ``margin`` of what its points cost alone, so that nothing is drawn to the middle.

    Args:
        num_keypoints: number K of keypoints.
        loss_weight: factor on the loss.
        pairs: index pairs to use throughout, instead of those of the moment.
        margin: see :func:`mmkp.ops.mirrored_keypoints.mirror_partners`.
        momentum: share of each batch in the running mean.
        unpaired: also hold keypoints without a partner to themselves, which is right
            for those on the axis of symmetry only.

    Raises:
        ValueError: ``pairs`` do not join different keypoints, each once at most.
    """

    inputs = ('keypoints', 'mirrored_keypoints', 'geometry')
    cost: Tensor

    def __init__(
        self,
        num_keypoints: int,
        loss_weight: float = 1.0,
        pairs: Sequence[Sequence[int]] | None = None,
        margin: float = 0.5,
        momentum: float = 0.05,
        unpaired: bool = False,
    ) -> None:
        super().__init__()
        self.loss_weight, self.margin = loss_weight, margin
        self.momentum, self.unpaired = momentum, unpaired
        # All alike to begin with: no pair is cheaper than its points.
        start = torch.ones(num_keypoints, num_keypoints)
        for first, second in pairs or ():
            _check_pair(first, second, start)
            start[[first, second], [second, first]] = 0
        self.fixed = pairs is not None
        self.register_buffer('cost', start)

    @property
    def partners(self) -> Tensor:
        """Partner of each keypoint, its own index where it has none, int64, (K,)."""
        return mirror_partners(self.cost, self.margin)

    def forward(
        self, keypoints: Tensor, mirrored_keypoints: Tensor, geometry: MapGeometry
    ) -> Tensor:
        """Compare images with their mirror images.

        Args:
            keypoints: (x, y) in pixels, shape (B, K, 2).
            mirrored_keypoints: of the mirror images, in pixels of the images, same
                shape.
            geometry: of the maps, for the length of the side.

        Returns:
            Weighted mean in squared half sides, scalar; 0 where there is no pair.
        """
        found, mirrored = (
            full_precision(points) / geometry.half_side
            for points in (keypoints, mirrored_keypoints)
        )
        if self.training and not self.fixed:
            with torch.no_grad():
                self.cost.lerp_(mirror_cost(found, mirrored), self.momentum)
        partners = self.partners
        own = torch.arange(len(partners), device=partners.device)
        counts = ((partners != own) | self.unpaired).to(found.dtype)
        squares = (mirrored - found[:, partners]).square().sum(-1).mean(0)
        return self.loss_weight * (counts * squares).sum() / len(partners)


def _check_pair(first: int, second: int, start: Tensor) -> None:
    number = len(start)
    inside = {first, second} <= set(range(number))
    if not inside or first == second or bool((start[[first, second]] == 0).any()):
        raise ValueError(
            f'the pair {(first, second)} must join two different keypoints of 0 to '
            f'{number - 1}, none of which is in another pair'
        )
