# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints as the expectation of a softmax over space."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads import BaseHead
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.models.backbones.autolink_encoder import initialize_convolutions
from mmkp.models.layers.padded_convolution import (
    normal_convolutions,
    padded_convolution,
)
from mmkp.ops.batch_norm import BatchNorm2d
from mmkp.ops.geometry import Alignment, MapGeometry, check_alignment, size_of
from mmkp.ops.heatmaps.moments import spatial_entropy
from mmkp.ops.heatmaps.soft_argmax import (
    mass_near_keypoints,
    soft_argmax,
    spatial_softmax,
)


class _UpsampleBlock(nn.Sequential):
    """Bilinear x2, conv 3x3, BN, LeakyReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Upsample(scale_factor=2, mode='bilinear', align_corners=False),
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            BatchNorm2d(out_channels),
            nn.LeakyReLU(0.2, inplace=True),
        )


@MODELS.register_module()
class SoftArgmaxHead(BaseHead):
    """Score maps, a softmax over space, and the expected position under it.

    The head of Thewlis et al. (ICCV 2017) and of AutoLink (NeurIPS 2022,
    section 3.1), over any backbone.

    Args:
        in_channels: channels of the feature map that it reads.
        num_keypoints: number K of keypoints to discover, at least 1.
        upsample_channels: channels after each doubling of the size; empty for
            none.
        alignment: where the cells of the map lie in the image: ``'inclusive'``, the
            first and last on the first and last pixel; ``'cell_centers'``, each in the
            middle of the pixels that it covers; or ``dict(first=..., spacing=...)`` in
            pixels, for networks without padding. See :class:`MapGeometry`, which
            losses and pictures get from here.
        in_index: which of the backbone's feature maps to read.
        score_radius: radius around a keypoint, as a share of the longer image
            side; its score is the probability mass inside.
        logit_scale: factor on the scores before the softmax. The papers have 1;
            a larger one starts with sharper maps, which short trainings need.
        kernel_size: side of the filters of the last convolution, odd.
        padding: what surrounds the features there: ``'zeros'``, by which keypoints
            can tell where the border is and stick to it; ``'reflect'``; or
            ``'valid'``, no padding, so that the map has ``kernel_size - 1`` cells
            less along each axis and ``alignment`` has to say where the rest lies.
        final_norm: batch normalisation of the scores, as Thewlis et al. normalise
            each of their six convolutions; the last one has no bias then.
        final_relu: ReLU after it, an oddity of the public code of Thewlis' method
            that keeps each score from falling below 0.
        init_std: standard deviation of the normal weights that all convolutions
            start from; None for AutoLink's Kaiming initialisation.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: K below 1, or unknown ``alignment`` or ``padding``, or an even
            kernel.
    """

    def __init__(
        self,
        in_channels: int,
        num_keypoints: int,
        upsample_channels: Sequence[int] = (256, 128),
        alignment: Alignment = 'inclusive',
        in_index: int = -1,
        score_radius: float = 0.125,
        logit_scale: float = 1.0,
        kernel_size: int = 3,
        padding: str = 'zeros',
        final_norm: bool = False,
        final_relu: bool = False,
        init_std: float | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_keypoints < 1:
            raise ValueError(
                f'num_keypoints={num_keypoints}: at least one keypoint is needed'
            )
        check_alignment(alignment)
        self.init_std = init_std
        self.num_keypoints = num_keypoints
        self.alignment = alignment
        self.in_index = in_index
        self.score_radius = score_radius
        self.logit_scale = logit_scale
        channels = (in_channels, *upsample_channels)
        self.upsample = nn.Sequential(
            *(_UpsampleBlock(*pair) for pair in pairwise(channels))
        )
        self.final_layer: nn.Module = padded_convolution(
            channels[-1], num_keypoints, kernel_size, padding, bias=not final_norm
        )
        self.final_norm = BatchNorm2d(num_keypoints) if final_norm else nn.Identity()
        self.final_activation = nn.ReLU() if final_relu else nn.Identity()

    def init_weights(self) -> None:
        """Start as AutoLink does, or from ``init_cfg`` when it names weights."""
        if self.init_std is None:
            initialize_convolutions(self)
        else:
            normal_convolutions(self, self.init_std)
        super().init_weights()

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Compute the score maps.

        Args:
            feats: feature maps of the backbone, each (B, C, h, w).

        Returns:
            Scores before the softmax, shape (B, K, h', w').
        """
        scores = self.final_layer(self.upsample(feats[self.in_index]))
        scores = self.final_activation(self.final_norm(scores))
        return scores * self.logit_scale

    def geometry(
        self, image_size: tuple[int, int], map_size: tuple[int, int]
    ) -> MapGeometry:
        """Where the cells of the heatmaps lie.

        Args:
            image_size: (W, H) of the network input in pixels.
            map_size: (w, h) of the heatmaps in cells.
        """
        return MapGeometry.aligned(self.alignment, image_size, map_size)

    def locate(
        self, logits: Tensor, image_size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Turn score maps into keypoints.

        Args:
            logits: scores, shape (B, K, h, w).
            image_size: (W, H) of the network input in pixels.

        Returns:
            Keypoints (x, y) in network-input pixels, (B, K, 2), and their
            distributions over space, (B, K, h, w), both float32.
        """
        heatmaps = spatial_softmax(logits)
        geometry = self.geometry(image_size, size_of(heatmaps))
        return soft_argmax(heatmaps, geometry), heatmaps

    def predict(
        self,
        feats: Sequence[Tensor],
        batch_data_samples: Sequence[PoseDataSample],
        test_cfg: dict | None = None,
    ) -> list[InstanceData] | tuple[list[InstanceData], list[PixelData]]:
        """Predict keypoints in network-input pixels.

        Args:
            feats: feature maps of the backbone, each (B, C, h, w).
            batch_data_samples: B samples whose metainfo holds ``input_size``.
            test_cfg: ``output_heatmaps=True`` also returns the heatmaps, each
                divided by its peak so that they can be looked at.

        Returns:
            B instances with ``keypoints`` (1, K, 2), ``keypoint_scores`` (1, K) and
            ``keypoint_entropies`` (1, K), those of the distributions over that of a
            uniform one, numpy float32; with heatmaps, also B fields (K, h, w).
        """
        width, height = (int(side) for side in batch_data_samples[0].input_size)
        keypoints, heatmaps = self.locate(self.forward(feats), (width, height))
        found = dict(
            keypoints=keypoints,
            keypoint_scores=self.scores(heatmaps, keypoints, (width, height)),
            keypoint_entropies=spatial_entropy(heatmaps, normalized=True),
        )
        rows = {
            name: part.detach().float().cpu().numpy() for name, part in found.items()
        }
        instances = [
            InstanceData(**{name: row[index, None] for name, row in rows.items()})
            for index in range(len(keypoints))
        ]
        if not (test_cfg or {}).get('output_heatmaps', False):
            return instances
        peaks = torch.amax(heatmaps, (-2, -1), keepdim=True).clamp_min(1e-12)
        geometry = self.geometry((width, height), size_of(heatmaps)).unpadded
        drawn = geometry.cover_image(heatmaps / peaks)
        place = dict(geometry=geometry.covering())
        return instances, [PixelData(metainfo=place, heatmaps=maps) for maps in drawn]

    def scores(
        self, heatmaps: Tensor, keypoints: Tensor, image_size: tuple[int, int]
    ) -> Tensor:
        """Share of each distribution that lies near its keypoint.

        Args:
            heatmaps: distributions over space, shape (B, K, h, w).
            keypoints: (x, y) in network-input pixels, shape (B, K, 2).
            image_size: (W, H) of the network input in pixels.

        Returns:
            Scores in [0, 1], shape (B, K).
        """
        geometry = self.geometry(image_size, size_of(heatmaps)).unpadded
        radius = self.score_radius * max(image_size)
        return mass_near_keypoints(heatmaps, keypoints, geometry, radius)

    def loss(self, *args: object, **kwargs: object) -> dict:
        """Refuse: there is no annotation that this head could be compared with.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            'SoftArgmaxHead has no loss of its own: put it in an '
            'UnsupervisedPoseEstimator (or AutoLink), whose `losses` train it, '
            'not in a supervised pose estimator.'
        )
