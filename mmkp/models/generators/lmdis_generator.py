# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The generator of LMDIS: an image from keypoints and a descriptor of each."""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor

from mmkp.models.layers.landmark_linear import LandmarkLinear
from mmkp.models.layers.normalized_convolution import NormalizedConvolution
from mmkp.ops.arguments import one_of
from mmkp.ops.geometry import MapGeometry, size_of
from mmkp.ops.heatmaps.gaussian_maps import normalized_gaussian_maps
from mmkp.ops.heatmaps.moments import spatial_mean_and_deviation
from mmkp.ops.precision import full_precision, in_full_precision, per_axis

#: The released widths, in units of the longer image side.
SIGMAS = tuple(0.125 * math.sqrt(2) ** i for i in range(5))
POOLINGS = ('raw', 'gaussian')
OUTPUTS = ('sigmoid', 'linear')


@MODELS.register_module()
class LMDISGenerator(BaseModule):
    """Reconstruct an image from its keypoints and what it looks like around each.

    LMDIS (Zhang et al., CVPR 2018, sections 3.2 and 3.3). A second network computes
    features; pooled under the map of a keypoint and reduced by a linear map of its
    own, they describe it in a few numbers. The descriptors, raised again, are spread
    under Gaussians of several widths around the keypoints, and an image decoder makes
    the image of that. The background has a descriptor too.

    Args:
        num_keypoints: number K of keypoints.
        features: config of the network of the features; it is called with padded
            images and its last map is used, of as many channels as its
            ``out_channels`` or ``feature_channels`` say.
        decoder: config of the image decoder, without ``in_channels``; its first map
            is used and has ``out_channels`` channels.
        feature_channels: channels of the features; None to ask the network.
        descriptor_channels: length of a descriptor.
        sigmas: widths of the Gaussians in units of the longer image side.
        pooling: what descriptors are pooled under: the ``'raw'`` maps, as released,
            or the ``'gaussian'`` of the same mean and deviation, as in the paper (for
            the background there is none, its map is used).
        descriptor_activation: leaky ReLU on the raised descriptors, as in the paper;
            the release has none.
        legacy_gauss: see
            :func:`mmkp.ops.heatmaps.gaussian_maps.normalized_gaussian_maps`; on for
            converted weights.
        output: ``'sigmoid'`` where the network input lies in [0, 1], as released, or
            ``'linear'`` for any other.
        map_stride: pixels of the image for each cell of the decoder's input.
        norm_momentum: share of a batch in the update of running statistics.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: an argument has no meaning.
    """

    def __init__(
        self,
        num_keypoints: int,
        features: dict[str, Any],
        decoder: dict[str, Any],
        feature_channels: int | None = None,
        descriptor_channels: int = 8,
        sigmas: Sequence[float] = SIGMAS,
        pooling: str = 'raw',
        descriptor_activation: bool = False,
        legacy_gauss: bool = False,
        output: str = 'sigmoid',
        map_stride: int = 1,
        norm_momentum: float = 3e-4,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not sigmas or min(sigmas) <= 0:
            raise ValueError(f'sigmas must be positive, at least one, got {sigmas}')
        if map_stride < 1:
            raise ValueError(f'map_stride must be at least 1, got {map_stride}')
        self.num_keypoints = num_keypoints
        self.sigmas = tuple(float(sigma) for sigma in sigmas)
        self.pooling = one_of('pooling', pooling, POOLINGS)
        self.descriptor_activation = descriptor_activation
        self.legacy_gauss = legacy_gauss
        self.output_kind = one_of('output', output, OUTPUTS)
        self.map_stride = map_stride
        self.features = MODELS.build(features)
        channels = feature_channels or getattr(self.features, 'out_channels', None)
        if not isinstance(channels, int):
            raise ValueError(
                f'{type(self.features).__name__} does not say how many channels its '
                'last map has: set feature_channels of LMDISGenerator'
            )
        self.reduce = LandmarkLinear(num_keypoints + 1, channels, descriptor_channels)
        self.expand = LandmarkLinear(num_keypoints + 1, descriptor_channels, channels)
        inputs = len(self.sigmas) * (num_keypoints + 1 + channels)
        self.decoder = MODELS.build({**decoder, 'in_channels': inputs})
        self.output = NormalizedConvolution(
            self.decoder.out_channels, 3, activation=False, norm_momentum=norm_momentum
        )

    def pool(
        self, features: Tensor, distributions: Tensor, geometry: MapGeometry
    ) -> Tensor:
        """Average features under each map.

        Args:
            features: of the padded image, shape (B, C, h', w'), any size.
            distributions: of keypoints and background over it, sum 1 over (h, w),
                shape (B, K + 1, h, w).
            geometry: where the cells of the distributions lie.

        Returns:
            Pooled features, shape (B, K + 1, C), dtype of the distributions, at least
            float32.
        """
        distributions = full_precision(distributions)
        if self.pooling == 'gaussian':
            fitted = fitted_gaussians(distributions[:, :-1], geometry)
            distributions = torch.cat((fitted, distributions[:, -1:]), 1)
        height, width = distributions.shape[-2:]
        if features.shape[-2:] != (height, width):
            features = F.adaptive_avg_pool2d(features, (height, width))
        with torch.autocast(features.device.type, enabled=False):
            values = features.to(distributions.dtype).flatten(2)
            return distributions.flatten(2) @ values.transpose(1, 2)

    def describe(
        self, features: Tensor, distributions: Tensor, geometry: MapGeometry
    ) -> Tensor:
        """Descriptor of each keypoint and of the background, (B, K + 1, D).

        Args: see :meth:`pool`.
        """
        return self.reduce(self.pool(features, distributions, geometry))

    def decoder_input(
        self, keypoints: Tensor, descriptors: Tensor, image_size: tuple[int, int]
    ) -> Tensor:
        """Draw keypoints and descriptors (section 3.3, equations 11 to 14).

        For each width the maps D_k of :func:`normalized_gaussian_maps` (equations 11
        and 12) and F(u) = sum_k D_k(u) W_k f_k, the raised descriptors spread under
        them (13), all stacked over the widths (14).

        Args:
            keypoints: (x, y) in pixels of the image, shape (B, K, 2).
            descriptors: shape (B, K + 1, D).
            image_size: (W, H) in pixels.

        Returns:
            For each of S widths K + 1 maps, then for each of them C features, shape
            (B, S (K + 1 + C), h, w), h = H / map_stride, rounded up.
        """
        map_size = (
            math.ceil(image_size[0] / self.map_stride),
            math.ceil(image_size[1] / self.map_stride),
        )
        geometry = MapGeometry.cell_centers(image_size, map_size)
        maps = normalized_gaussian_maps(
            keypoints, geometry, self.sigmas, self.legacy_gauss
        )
        raised = self.expand(descriptors)
        if self.descriptor_activation:
            raised = F.leaky_relu(raised, 0.2)
        spread = raised.to(maps.dtype).transpose(1, 2) @ maps.flatten(3)
        drawn = [
            part.transpose(0, 1).reshape(len(keypoints), -1, *maps.shape[-2:])
            for part in (maps, spread)
        ]
        return torch.cat(drawn, 1)

    def forward(
        self,
        padded: Tensor,
        keypoints: Tensor,
        distributions: Tensor,
        geometry: MapGeometry,
    ) -> dict[str, Tensor]:
        """Reconstruct images.

        Args:
            padded: images with their padding, shape (B, 3, H', W').
            keypoints: (x, y) in pixels of the padded images, shape (B, K, 2).
            distributions: of keypoints and background over the padded images, the
                latter last, shape (B, K + 1, h, w).
            geometry: where the cells of the distributions lie.

        Returns:
            ``descriptors`` (B, K + 1, D) and ``reconstruction`` (B, 3, H, W), in
            [0, 1] where ``output`` is a sigmoid.
        """
        features = self.features(padded)[-1]
        descriptors = self.describe(features, distributions, geometry)
        inner = keypoints - per_axis(geometry.padding, keypoints)
        drawn = self.decoder_input(inner, descriptors, geometry.inner_size)
        maps = self.decoder(_like(drawn, padded))[0]
        width, height = geometry.inner_size
        if size_of(maps) != (width, height):
            maps = F.interpolate(
                maps, size=(height, width), mode='bilinear', align_corners=False
            )
        reconstruction = self.output(maps)
        if self.output_kind == 'sigmoid':
            reconstruction = reconstruction.sigmoid()
        return {'descriptors': descriptors, 'reconstruction': reconstruction}


@in_full_precision
def fitted_gaussians(distributions: Tensor, geometry: MapGeometry) -> Tensor:
    """Isotropic Gaussian of the mean and the deviation of each distribution.

    LMDIS (Zhang et al., CVPR 2018, section 3.2); the deviation is the mean of those
    along the axes. One narrower than half a cell is drawn that wide.

    Args:
        distributions: sum 1 over (h, w), shape (B, K, h, w).
        geometry: where their cells lie.

    Returns:
        Distributions, sum 1 over (h, w), shape (B, K, h, w), at least float32.
    """
    x, y = geometry.columns(distributions), geometry.rows(distributions)
    mean, deviations = spatial_mean_and_deviation(distributions, x, y)
    narrowest = max(geometry.spacing) / 2
    sigma = deviations.mean(-1, keepdim=True).clamp_min(narrowest)
    along_x = (-((x - mean[..., :1]) / sigma).square() / 2).softmax(-1)
    along_y = (-((y - mean[..., 1:]) / sigma).square() / 2).softmax(-1)
    return along_y[..., :, None] * along_x[..., None, :]


def _like(maps: Tensor, images: Tensor) -> Tensor:
    """Bring maps to the dtype and the memory format of the images."""
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    memory = torch.channels_last if channels_last else torch.contiguous_format
    return maps.to(images.dtype, memory_format=memory)
