# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Random colour cast and brightness, as Stacked Hourglass trains."""

import cv2
import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

from mmkp.datasets.transforms.base import Transform


@TRANSFORMS.register_module()
class RandomChannelGain(Transform):
    """Multiply each colour channel by its own uniform random factor.

    What gets brighter than white is clipped. The factors .6 to 1.4 are those of the
    training code of Stacked Hourglass (Newell et al., ECCV 2016). Where ``img`` is a
    list of frames, all of them get the same factors.

    Required and changed keys: ``img``, (H, W, C) uint8 or a list of such arrays.

    Args:
        low: smallest factor.
        high: largest factor.

    Raises:
        ValueError: factors that are negative or in the wrong order.
    """

    def __init__(self, low: float = 0.6, high: float = 1.4) -> None:
        if not 0 <= low <= high:
            raise ValueError(
                'low and high must be positive factors, the smaller one first, got '
                f'{low} and {high}'
            )
        self.low = low
        self.high = high

    def transform(self, results: dict) -> dict:
        """Change the colours of one sample.

        Args:
            results: the sample with its image.

        Returns:
            The same dict with a new image.

        Raises:
            ValueError: the image is not of type uint8.
        """
        image = results['img']
        frames = image if isinstance(image, list) else [image]
        gains = self._draw(frames[0].shape[-1])
        frames = [_multiply(frame, gains) for frame in frames]
        results['img'] = frames if isinstance(image, list) else frames[0]
        return results

    @cache_randomness
    def _draw(self, channels: int) -> np.ndarray:
        """Return the factors, (channels,) float64."""
        return np.random.uniform(self.low, self.high, channels)


def _multiply(image: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Multiply the channels of an image (H, W, C) uint8 by gains (C,)."""
    if image.dtype != np.uint8:
        raise ValueError(
            f'RandomChannelGain takes images of type uint8, got {image.dtype}: put it '
            'before transforms that convert or normalise'
        )
    # Only 256 values occur in each channel: looking them up is several times faster
    # than floating-point images.
    table = np.clip(np.rint(np.arange(256)[:, None] * gains), 0, 255)
    return cv2.LUT(image, table.astype(np.uint8)[None])
