# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""IMM's generator: an image from another one's appearance and its own keypoints."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.backbones.autolink_encoder import initialize_convolutions
from mmkp.ops.batch_norm import BatchNorm2d
from mmkp.ops.geometry import MapGeometry, size_of
from mmkp.ops.heatmaps.gaussian_maps import gaussian_maps


@MODELS.register_module()
class IMMGenerator(BaseModule):
    """Draw an object in the pose that its keypoints tell.

    IMM (Jakab et al., NeurIPS 2018, section 3): features of an image, the appearance,
    and a Gaussian map around each keypoint of another image of the object, the pose,
    are joined, and convolutions with doublings in between make the other image. What
    the Gaussians do not tell of the pose, the generator cannot know.

    Args:
        num_keypoints: number K of keypoints.
        encoder: config of any backbone; its last feature map is the appearance.
        in_channels: channels of that map.
        channels: channels of the two convolutions at its size and after each doubling.
        sigma: standard deviation of the Gaussians, where the longer side of the image
            spans [-1, 1]. The released code has exp(-d^2 / 0.1^2), the default.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: ``sigma`` is not positive.
    """

    def __init__(
        self,
        num_keypoints: int,
        encoder: dict,
        in_channels: int,
        channels: Sequence[int] = (256, 128, 64, 32),
        sigma: float = 0.1 / 2**0.5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not sigma > 0:
            raise ValueError(f'sigma must be positive, got {sigma}')
        self.num_keypoints = num_keypoints
        self.sigma = sigma
        self.encoder = MODELS.build(encoder)
        layers: list[nn.Module] = []
        previous = in_channels + num_keypoints
        for width in channels:
            if layers:
                layers.append(nn.Upsample(scale_factor=2, mode='bilinear'))
            for entering in (previous, width):
                convolution = nn.Conv2d(entering, width, 3, padding=1, bias=False)
                layers += [convolution, BatchNorm2d(width), nn.ReLU(inplace=True)]
            previous = width
        self.decoder = nn.Sequential(*layers, nn.Conv2d(previous, 3, 3, padding=1))

    def init_weights(self) -> None:
        """Kaiming weights, or those of ``init_cfg`` when it names some."""
        initialize_convolutions(self.decoder, negative_slope=0.0)
        super().init_weights()

    def forward(self, images: Tensor, keypoints: Tensor) -> dict[str, Tensor]:
        """Draw the image that the keypoints were found in.

        Args:
            images: where the appearance is taken from, shape (B, 3, H, W).
            keypoints: (x, y) in pixels of the image to be drawn, shape (B, K, 2).

        Returns:
            ``gaussian_maps`` (B, K, h, w) and ``reconstruction`` (B, 3, H, W).
        """
        appearance = self.encoder(images)[-1]
        geometry = MapGeometry.cell_centers(size_of(images), size_of(appearance))
        pose = gaussian_maps(keypoints, geometry, self.sigma * geometry.half_side)
        drawn = self.decoder(torch.cat((appearance, pose.to(appearance.dtype)), 1))
        if drawn.shape[-2:] != images.shape[-2:]:
            drawn = F.interpolate(drawn, images.shape[-2:], mode='bilinear')
        return {'gaussian_maps': pose, 'reconstruction': drawn}
