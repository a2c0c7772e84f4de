# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tokens that attend to the features of any frozen backbone."""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.token_attention.base import TokenAttention
from mmkp.ops.token_maps.feature_clusters import position_channels


@MODELS.register_module()
class FeatureAttention(TokenAttention):
    """Attention of tokens to the feature maps of a frozen backbone.

    A step beyond StableKeypoints (Hedlin et al., CVPR 2024), which reads the
    cross-attention of a diffusion model: the logit of a token at a cell is its scaled
    product with the feature vector there, so that the same losses, the same choice of
    tokens and the same test run on any network, also without a GPU. Feature maps are
    normalised channel by channel's vector at each cell (zero mean, unit variance, as
    the layer normalisation before attention does), brought to the size of the largest
    one and stacked, so that a token sees coarse and fine features together.

    Args:
        backbone: config of any backbone; its ``init_cfg`` is obeyed, and without one
            its random weights follow from ``seed``.
        in_channels: channels of each feature map that is used.
        in_index: which of the backbone's feature maps to use; by default as
            many of the last ones as there are ``in_channels``.
        logit_scale: factor on token times feature; by default the 1 / sqrt(C) of
            attention.
        position_weight: how much the place of a cell counts beside its features, 0 for
            not at all: a product of features is C times their likeness, to which this
            times C times that of the places comes, see :func:`position_channels`.
        seed: seed of a backbone that is not told what weights to load.

    Raises:
        ValueError: no feature map, as many indices as there are not channels, or a
            negative weight.
    """

    def __init__(
        self,
        backbone: dict,
        in_channels: Sequence[int],
        in_index: Sequence[int] | None = None,
        logit_scale: float | None = None,
        position_weight: float = 0.0,
        seed: int = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = tuple(in_channels)
        number = len(self.in_channels)
        self.in_index = tuple(range(-number, 0) if in_index is None else in_index)
        if not number or len(self.in_index) != number:
            raise ValueError(
                f'FeatureAttention reads feature maps {self.in_index} with '
                f'in_channels={self.in_channels}: give one number of channels for each '
                'map, and at least one'
            )
        if not position_weight >= 0:
            raise ValueError(f'position_weight is {position_weight}, must be 0 or more')
        self.position_weight = position_weight
        width = sum(self.in_channels)
        self.token_width = width + (4 if position_weight else 0)
        self.logit_scale = width**-0.5 if logit_scale is None else logit_scale
        self.freeze_later(partial(_read_backbone, backbone, seed))

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Normalised feature vectors, all maps stacked.

        Args:
            images: network input, shape (B, 3, H, W).

        Returns:
            Features, shape (B, C, h, w), of the size of the largest map; the last four
            channels are of places where these have a weight.

        Raises:
            ValueError: a map has another number of channels than the config says.
        """
        found = self.frozen('backbone')(images)
        maps = [found[index] for index in self.in_index]
        channels = tuple(feature.shape[1] for feature in maps)
        if channels != self.in_channels:
            raise ValueError(
                f'feature maps {self.in_index} of the backbone have {channels} '
                f'channels, in_channels says {self.in_channels}: correct it'
            )
        height, width = (max(f.shape[axis] for f in maps) for axis in (-2, -1))
        normalized = []
        for feature in maps:
            feature = feature.float()
            spread, mean = torch.var_mean(feature, 1, correction=0, keepdim=True)
            feature = (feature - mean) * (spread + 1e-5).rsqrt()
            if feature.shape[-2:] != (height, width):
                feature = F.interpolate(
                    feature, (height, width), mode='bilinear', align_corners=False
                )
            normalized.append(feature)
        if self.position_weight:
            factor = (self.position_weight * sum(self.in_channels)) ** 0.5
            places = position_channels(height, width).to(images.device) * factor
            normalized.append(places.expand(images.shape[0], -1, -1, -1))
        return torch.cat(normalized, 1)

    def forward(
        self, images: Tensor, tokens: Tensor, cached: bool = False
    ) -> list[Tensor]:
        """Compute attention logits, see :class:`TokenAttention`.

        Args:
            images: network input, shape (B, 3, H, W).
            tokens: learned tokens, shape (N, C).
            cached: no effect: the features are quick to make again.

        Returns:
            One tensor of logits, shape (B, 1, h, w, N).
        """
        return self.logits(self.features(images), tokens)

    def logits(self, features: Tensor, tokens: Tensor) -> list[Tensor]:
        """Compute attention logits of features that were made.

        Args:
            features: shape (B, C, h, w).
            tokens: learned tokens, shape (N, C).

        Returns:
            One tensor of logits, shape (B, 1, h, w, N).
        """
        cells = features.permute(0, 2, 3, 1).to(tokens.dtype)
        with torch.autocast(features.device.type, enabled=False):
            return [(cells @ tokens.T * self.logit_scale)[:, None]]


def _read_backbone(config: dict, seed: int) -> dict[str, nn.Module]:
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would seed the accelerators as well.
        torch.default_generator.manual_seed(seed)
        network = MODELS.build(config)
        if hasattr(network, 'init_weights'):
            network.init_weights()
    return {'backbone': network}
