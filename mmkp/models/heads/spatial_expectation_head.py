"""Keypoints as the expectation of a softmax over space."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads import BaseHead
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.models.backbones.autolink_encoder import initialise_convolutions
from mmkp.ops.batch_norm import BatchNorm2d
from mmkp.ops.heatmap import (
    GRIDS,
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
class SpatialExpectationHead(BaseHead):
    """Score maps, a softmax over space, and the expected position under it.

    The head of Thewlis et al. (ICCV 2017) and of AutoLink (NeurIPS 2022,
    section 3.1), over any backbone.

    Args:
        in_channels: channels of the feature map that it reads.
        num_keypoints: number K of keypoints to discover, at least 1.
        upsample_channels: channels after each doubling of the size; empty for
            none.
        grid: where the cells of the map lie in the image, see
            :func:`mmkp.ops.heatmap.cell_positions`.
        feature_index: which of the backbone's feature maps to read.
        score_radius: radius around a keypoint, as a share of the longer image
            side; its score is the probability mass inside.
        logit_scale: factor on the scores before the softmax. The papers have 1;
            a larger one starts with sharper maps, which short trainings need.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: K below 1, or unknown ``grid``.
    """

    def __init__(
        self,
        in_channels: int,
        num_keypoints: int,
        upsample_channels: Sequence[int] = (256, 128),
        grid: str = 'inclusive',
        feature_index: int = -1,
        score_radius: float = 0.125,
        logit_scale: float = 1.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_keypoints < 1:
            raise ValueError(
                f'num_keypoints={num_keypoints}: at least one keypoint is needed'
            )
        if grid not in GRIDS:
            raise ValueError(f'grid must be one of {GRIDS}, got {grid!r}')
        self.num_keypoints = num_keypoints
        self.grid = grid
        self.feature_index = feature_index
        self.score_radius = score_radius
        self.logit_scale = logit_scale
        channels = (in_channels, *upsample_channels)
        self.upsample = nn.Sequential(
            *(_UpsampleBlock(*pair) for pair in pairwise(channels))
        )
        self.final_layer = nn.Conv2d(channels[-1], num_keypoints, 3, padding=1)

    def init_weights(self) -> None:
        """Start as AutoLink does, or from ``init_cfg`` when it names weights."""
        initialise_convolutions(self)
        super().init_weights()

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Compute the score maps.

        Args:
            feats: feature maps of the backbone, each (B, C, h, w).

        Returns:
            Scores before the softmax, shape (B, K, h', w').
        """
        scores = self.final_layer(self.upsample(feats[self.feature_index]))
        return scores * self.logit_scale

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
        return soft_argmax(heatmaps, image_size, self.grid), heatmaps

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
            B instances with ``keypoints`` (1, K, 2) and ``keypoint_scores``
            (1, K), numpy float32; with heatmaps, also B fields (K, h, w).
        """
        width, height = (int(side) for side in batch_data_samples[0].input_size)
        keypoints, heatmaps = self.locate(self.forward(feats), (width, height))
        radius = self.score_radius * max(width, height)
        scores = mass_near_keypoints(
            heatmaps, keypoints, (width, height), radius, self.grid
        )
        instances = [
            InstanceData(keypoints=points[None], keypoint_scores=score[None])
            for points, score in zip(
                keypoints.float().cpu().numpy(),
                scores.float().cpu().numpy(),
                strict=True,
            )
        ]
        if not (test_cfg or {}).get('output_heatmaps', False):
            return instances
        peaks = torch.amax(heatmaps, (-2, -1), keepdim=True).clamp_min(1e-12)
        return instances, [PixelData(heatmaps=maps) for maps in heatmaps / peaks]

    def loss(self, *args: object, **kwargs: object) -> dict:
        """Refuse: there is no annotation that this head could be compared with.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            'SpatialExpectationHead has no loss of its own: put it in an '
            'UnsupervisedPoseEstimator (or AutoLink), whose `losses` train it, '
            'not in a supervised pose estimator.'
        )
