# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What view transforms that sample their warp have in common."""

from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor, nn

from mmkp.models.view_transforms.color_jitter import ColorJitter
from mmkp.ops.arguments import one_of
from mmkp.ops.geometry import size_of
from mmkp.ops.warps.warp import Warp


class RandomWarp(nn.Module):
    """A second view of each image by a random warp and colour jitter.

    Models that compose warps take the parts: ``sample``, ``jitter``,
    ``padding_mode``. A class names its ``sampler``, a function of the number of warps,
    the size of the images (W, H), the device and what is in ``warp_options``.

    Args:
        brightness: largest change of brightness, in units of the input.
        contrast: largest relative change of contrast of each channel, in [0, 1).
        padding_mode: what lies outside the image, as in ``grid_sample``.
    """

    needs_samples = False
    sampler: ClassVar[Callable[..., Warp]]
    warp_options: dict[str, Any]

    def __init__(
        self,
        brightness: float = 0.0,
        contrast: float = 0.0,
        padding_mode: str = 'reflection',
    ) -> None:
        super().__init__()
        self.jitter = ColorJitter(brightness, contrast)
        self.padding_mode = padding_mode

    def sample(self, images: Tensor) -> Warp:
        """Sample one warp for each image, without applying it.

        Args:
            images: network input, shape (B, 3, H, W).

        Returns:
            The warps, on the images' device.
        """
        size = size_of(images)
        sampler = type(self).sampler
        return sampler(len(images), size, device=images.device, **self.warp_options)

    def forward(self, images: Tensor) -> tuple[Tensor, Warp]:
        """Sample one warp for each image and apply it.

        Args:
            images: network input, shape (B, 3, H, W).

        Returns:
            Warped images of the same shape, and the warp, which maps positions
            in them back to the images.
        """
        warp = self.sample(images)
        return self.jitter(warp.images(images, self.padding_mode)), warp


def preset_options(
    preset: str | None, presets: dict[str, dict[str, Any]], **options: Any
) -> dict[str, Any]:
    """Settings of a preset, with those that are given in their place.

    Args:
        preset: name of a preset, none of them when None.
        presets: name -> settings.
        **options: settings, None for those that are not given.

    Returns:
        The settings that differ from the defaults of the sampler.

    Raises:
        ValueError: there is no such preset.
    """
    chosen = {}
    if preset is not None:
        chosen = presets[one_of('preset', preset, sorted(presets))]
    return {**chosen, **{name: v for name, v in options.items() if v is not None}}
