# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What StableKeypoints finds, its frozen network included."""

import math
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from mmkp.models.unsupervised import StableKeypoints
from mmkp.ops.geometry import size_of
from mmkp.ops.token_maps.by_rows import attention_maps_by_rows
from mmkp.ops.token_maps.view_aggregation import ViewAggregator
from mmkp.ops.warps.affine import AffineWarp


class TokenKeypoints(nn.Module):
    """Keypoints of the chosen tokens, over the same views as in a prediction.

    The views are drawn at the first call, which has to come before the graph is traced:
    a graph would draw others each time.

    Args:
        model: with its frozen network, which becomes part of the module tree here.
    """

    indices: Tensor

    def __init__(self, model: StableKeypoints) -> None:
        super().__init__()
        self.model: Any = model
        self.networks = nn.ModuleList(model.backbone.networks)
        self.register_buffer('indices', model.head.chosen_indices().clone())
        self.warps: list[_InvertedWarp] = []
        self.num_views = model.test_cfg.get('num_views', 0)
        size = model.test_cfg.get('view_map_size', model.head.map_size)
        self.view_size = (int(size[0]), int(size[1]))

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Keypoints (B, K, 2) in pixels of the network input and scores (B, K)."""
        maps = self._maps(inputs)
        keypoints, _ = self.model.head.locate(maps, size_of(inputs))
        return keypoints, maps.amax((-2, -1)).clamp(0, 1)

    def _maps(self, inputs: Tensor) -> Tensor:
        """As ``keypoint_maps``, which asks files and values of tensors besides."""
        model, number = self.model, inputs.shape[0]
        if not self.num_views:
            return self._attention(inputs)
        if not self.warps:
            self.warps = _inverted(model.test_warps(inputs.shape[1:]))
        geometry = model.head.geometry(size_of(inputs), self.view_size)
        aggregator = ViewAggregator(geometry)
        for warp in self.warps:
            warp = warp.of_images(number)
            view = warp.images(inputs, model.view_transform.padding_mode)
            aggregator.add(self._attention(view), warp)
        return aggregator.result()

    def _attention(self, images: Tensor) -> Tensor:
        """Maps of the chosen tokens, (B, K, h, w)."""
        model = self.model
        indices = self.indices.expand(images.shape[0], -1)
        return attention_maps_by_rows(
            model.attend(images), model.head.map_size, indices, math.inf
        )


@dataclass
class _InvertedWarp(AffineWarp):
    """A warp whose inverse is known: ONNX has no operation that inverts matrices."""

    back: AffineWarp | None = None

    def inverse(self) -> AffineWarp:
        """See :class:`AffineWarp`."""
        assert self.back is not None
        return self.back

    def of_images(self, number: int) -> '_InvertedWarp':
        """The same warp for each of so many images."""
        assert self.back is not None
        back = replace(self.back, affine=self.back.affine.expand(number, -1, -1))
        return replace(self, affine=self.affine.expand(number, -1, -1), back=back)


def _inverted(warps: AffineWarp) -> list[_InvertedWarp]:
    """One warp each, with its inverse."""
    found = []
    for affine in warps.affine:
        one = replace(warps, affine=affine[None])
        values = one.affine, one.image_size, one.align_corners, one.legacy_grid
        found.append(_InvertedWarp(*values, back=one.inverse()))
    return found
