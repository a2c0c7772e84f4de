# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A second view of each image by a random thin-plate spline and colour jitter."""

from typing import Any

from mmpose.registry import MODELS

from mmkp.models.view_transforms.base import RandomWarp, preset_options
from mmkp.ops.warps.samplers import THIN_PLATE_PRESETS
from mmkp.ops.warps.thin_plate_spline import random_thin_plate_spline


@MODELS.register_module()
class RandomThinPlateSpline(RandomWarp):
    """Warp images at random, on the device that they are on.

    Settings that are None come from the preset or, without one, are those of
    :func:`mmkp.ops.warps.thin_plate_spline.random_thin_plate_spline`.

    Args:
        control_grid: number of control points along each side, 5 without preset.
        local_std: standard deviation of the spline coefficients, 0.01 without preset.
        rotation_std: standard deviation of the rotation in degrees, 5 without preset.
        scale_std: standard deviation of the logarithm of the scale, 0.1 without
            preset.
        translation_std: standard deviation of the shift, in half image sides, 0.1
            without preset.
        sparse_std: standard deviation of what is added to half of the coefficients,
            0 without preset.
        preset: ``'imm_target'`` or ``'imm_source'``, see
            :mod:`mmkp.ops.warps.samplers`.
        **kwargs: colour jitter and padding, of :class:`RandomWarp`.

    Raises:
        ValueError: there is no such preset.
    """

    sampler = staticmethod(random_thin_plate_spline)

    def __init__(
        self,
        control_grid: int | None = None,
        local_std: float | None = None,
        rotation_std: float | None = None,
        scale_std: float | None = None,
        translation_std: float | None = None,
        sparse_std: float | None = None,
        preset: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.warp_options = preset_options(
            preset,
            THIN_PLATE_PRESETS,
            control_grid=control_grid,
            local_std=local_std,
            rotation_std=rotation_std,
            scale_std=scale_std,
            translation_std=translation_std,
            sparse_std=sparse_std,
        )
