# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images as text within a page, as large as its bytes allow."""

import base64
import math

import cv2
import numpy as np

_START = 'data:image/webp;base64,'
_QUALITY = 70
_FIRST_SIDE, _LEAST_SIDE, _LARGEST_SIDE = 512, 16, 1280
# Bytes grow a little slower than pixels do; so much is kept in hand.
_CAUTION = 0.95


class EmbeddedPictures:
    """Encodes images, one after the other, so that all fit in a number of bytes.

    Each gets an equal share of what those before it have left, and is reduced until it
    fits; the sides of the next begin where those of the last ended.

    Args:
        number: of images to come.
        budget: bytes of all of them as text.
    """

    def __init__(self, number: int, budget: int) -> None:
        self._number, self._budget = number, budget
        self._side = _FIRST_SIDE

    def encode(self, image: np.ndarray) -> str:
        """Reduce and encode an image.

        Args:
            image: (H, W, 3), uint8, BGR.

        Returns:
            A ``data:`` URL of a WebP image.
        """
        share = self._budget / max(self._number, 1)
        content = self._fitting(image, share)
        text = _START + base64.b64encode(content).decode()
        self.skip()
        self._budget -= len(text)
        return text

    def skip(self) -> None:
        """Leave the share of an image that is gone to the others."""
        self._number -= 1

    def _fitting(self, image: np.ndarray, share: float) -> bytes:
        """The image, as large as its share allows; never enlarged."""
        most = min(max(image.shape[:2]), _LARGEST_SIDE)
        allowed = max((share - len(_START)) * 3 / 4, 1)
        side = min(self._side, most)
        content = _encoded(image, side)
        if len(content) < 0.6 * allowed and side < most:
            larger = min(int(side * _scale(allowed, content)), most)
            grown = _encoded(image, larger)
            if len(grown) <= allowed:
                side, content = larger, grown
        while len(content) > allowed and side > _LEAST_SIDE:
            side = max(int(side * min(_scale(allowed, content), 0.9)), _LEAST_SIDE)
            content = _encoded(image, side)
        self._side = max(side, _FIRST_SIDE if side == most else 0)
        return content


def _scale(allowed: float, content: bytes) -> float:
    return _CAUTION * math.sqrt(allowed / len(content))


def _encoded(image: np.ndarray, side: int) -> bytes:
    """WebP of an image, reduced to a longest side."""
    height, width = image.shape[:2]
    scale = min(side / max(height, width), 1)
    if scale < 1:
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, content = cv2.imencode('.webp', image, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    return content.tobytes()
