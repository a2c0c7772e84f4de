# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A second view of each image by the warp of LMDIS and colour jitter."""

import math
from typing import Any

from mmpose.registry import MODELS

from mmkp.models.view_transforms.base import RandomWarp
from mmkp.ops.warps.samplers import random_lmdis_warp


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
        **kwargs: colour jitter and padding, of :class:`RandomWarp`.
    """

    sampler = staticmethod(random_lmdis_warp)

    def __init__(
        self,
        control_grid: int = 7,
        offset_std: float = 0.1,
        rotation_std: float = 10.0,
        scale_std: float = math.log(1.25),
        translation_range: float = 0.3,
        legacy_tps: bool = False,
        legacy_grid: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.warp_options = {
            'control_grid': control_grid,
            'offset_std': offset_std,
            'rotation_std': rotation_std,
            'scale_std': scale_std,
            'translation_range': translation_range,
            'legacy_tps': legacy_tps,
            'legacy_grid': legacy_grid,
        }
