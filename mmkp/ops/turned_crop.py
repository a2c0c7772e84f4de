# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where a crop that may be turned lies in its image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


def turn(points: np.ndarray, center: np.ndarray, degrees: float) -> np.ndarray:
    """Turn points about a center.

    Args:
        points: (x, y) in any unit, shape (..., 2).
        center: (x, y) in the same unit, (2,).
        degrees: from the x axis towards the y axis, clockwise in a picture.

    Returns:
        float64, same shape.
    """
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    middle = np.asarray(center, np.float64)
    matrix = np.array([[cosine, -sine], [sine, cosine]])
    return (np.asarray(points, np.float64) - middle) @ matrix.T + middle


@dataclass(frozen=True)
class TurnedCrop:
    """The network input as a part of an image, turned about its middle.

    Attributes:
        center: (2,) float64, MMPose's ``input_center`` in pixels of the image.
        scale: (2,) float64, width and height in pixels of the image.
        size: (2,) float64, width and height of the network input in pixels.
        degrees: by which the crop is turned in the image, from x towards y.
    """

    center: np.ndarray
    scale: np.ndarray
    size: np.ndarray
    degrees: float = 0.0

    @classmethod
    def of_sample(cls, metainfo: Mapping[str, Any]) -> 'TurnedCrop':
        """Read the crop of a data sample.

        Args:
            metainfo: with ``input_center`` and ``input_scale``, and, where the crop is
                turned, ``input_size``, ``input_rotation`` in degrees and
                ``half_turned``, which adds 180.
        """
        center, scale = (
            np.asarray(metainfo[key], np.float64).reshape(2)
            for key in ('input_center', 'input_scale')
        )
        # The size matters to what is turned only.
        size = np.asarray(metainfo.get('input_size', scale), np.float64).reshape(2)
        degrees = float(metainfo.get('input_rotation') or 0)
        half = 180 * bool(metainfo.get('half_turned'))
        return cls(center, scale, size, degrees + half)

    def unturned(self, pixels: np.ndarray) -> np.ndarray:
        """Move keypoints of the turned input to those of the input that is not turned.

        Args:
            pixels: (x, y) in network-input pixels, shape (..., 2).

        Returns:
            Same shape, which MMPose maps to the image by center and scale.
        """
        if not self.degrees:
            return np.asarray(pixels)
        return turn(pixels, (self.size - 1) / 2, self.degrees)

    def to_image(self, fractions: np.ndarray) -> np.ndarray:
        """Image pixels of places in fractions of the turned crop, (..., 2)."""
        upright = self.unturned(np.asarray(fractions) * self.size)
        return (upright / self.size - 0.5) * self.scale + self.center

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Fractions of the turned crop of places in image pixels, (..., 2)."""
        upright = (np.asarray(points) - (self.center - self.scale / 2)) / self.scale
        if not self.degrees:
            return upright
        turned = turn(upright * self.size, (self.size - 1) / 2, -self.degrees)
        return turned / self.size

    def from_image(self, points: np.ndarray) -> np.ndarray:
        """Places in fractions of the turned crop of image pixels, (..., 2)."""
        upright = (np.asarray(points, np.float64) - self.center) / self.scale + 0.5
        if not self.degrees:
            return upright
        turned = turn(upright * self.size, (self.size - 1) / 2, -self.degrees)
        return turned / self.size
