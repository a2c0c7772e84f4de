# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A second view of each image by the warp of LMDIS and colour jitter."""

import math
from typing import Any

from mmpose.registry import MODELS
from torch import Tensor

from mmkp.models.view_transforms.base import RandomWarp
from mmkp.ops.warps.samplers import random_lmdis_warp
from mmkp.ops.warps.warp import ComposedWarp


@MODELS.register_module()
class RandomLMDISWarp(RandomWarp):
    """Warp images at random as LMDIS (Zhang et al., CVPR 2018): spline, similarity.

    Lengths are in half sides of the image that is warped; in LMDIS that is the padded
    frame.

    Args:
        control_grid: number of control points along each side.
        offset_std: standard deviation of the control points' offsets.
        rotation_std: standard deviation of the rotation in degrees.
        scale_std: standard deviation of the logarithm of the scale.
        translation_range: largest shift either way along each axis, uniform.
        legacy_tps: evaluate half of the spline's kernel, as released.
        legacy_grid: let the warped image run from pixel centre to pixel centre but
            the source from edge to edge, as released.
        brightness: largest change of brightness, in units of the input.
        contrast: largest relative change of contrast of each channel, in [0, 1).
        padding_mode: what lies outside the image, as in ``grid_sample``.
    """

    def __init__(
        self,
        control_grid: int = 7,
        offset_std: float = 0.1,
        rotation_std: float = 10.0,
        scale_std: float = math.log(1.25),
        translation_range: float = 0.3,
        legacy_tps: bool = False,
        legacy_grid: bool = False,
        brightness: float = 0.0,
        contrast: float = 0.0,
        padding_mode: str = 'reflection',
    ) -> None:
        super().__init__(brightness, contrast, padding_mode)
        self.warp_options: dict[str, Any] = {
            'control_grid': control_grid,
            'offset_std': offset_std,
            'rotation_std': rotation_std,
            'scale_std': scale_std,
            'translation_range': translation_range,
            'legacy_tps': legacy_tps,
            'legacy_grid': legacy_grid,
        }

    def sample(self, images: Tensor) -> ComposedWarp:
        """Sample one warp for each image, without applying it.

        Args:
            images: network input, shape (B, 3, H, W).

        Returns:
            The warps, on the images' device.
        """
        height, width = images.shape[-2:]
        return random_lmdis_warp(
            len(images), (width, height), device=images.device, **self.warp_options
        )
