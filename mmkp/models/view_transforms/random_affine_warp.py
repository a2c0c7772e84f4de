# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A second view of each image by a random affine map and colour jitter."""

from typing import Any

from mmpose.registry import MODELS

from mmkp.models.view_transforms.base import RandomWarp, preset_options
from mmkp.ops.warps.samplers import AFFINE_PRESETS, random_affine_warp


@MODELS.register_module()
class RandomAffineWarp(RandomWarp):
    """Warp images at random by affine maps.

    As the TensorFlow code of Thewlis et al., ICCV 2017, or StableKeypoints, CVPR 2024.
    Settings that are None come from the preset.

    Args:
        rotation_range: largest rotation either way in degrees, uniform.
        scale_range: smallest and largest scale, uniform.
        stretch_std: standard deviation of what is added to the scale along y.
        translation_std: standard deviation of the shift in half image sides.
        translation_range: largest further shift either way along each axis in half
            image sides, uniform.
        preset: ``'fse_second'``, or ``'fse_first'`` without shift and with less
            scaling, or ``'stable_keypoints'``, see :mod:`mmkp.ops.warps.samplers`.
        **kwargs: colour jitter and padding, of :class:`RandomWarp`.

    Raises:
        ValueError: there is no such preset.
    """

    sampler = staticmethod(random_affine_warp)

    def __init__(
        self,
        rotation_range: float | None = None,
        scale_range: tuple[float, float] | None = None,
        stretch_std: float | None = None,
        translation_std: float | None = None,
        preset: str = 'fse_second',
        translation_range: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.warp_options = preset_options(
            preset,
            AFFINE_PRESETS,
            rotation_range=rotation_range,
            scale_range=scale_range,
            stretch_std=stretch_std,
            translation_std=translation_std,
            translation_range=translation_range,
        )
