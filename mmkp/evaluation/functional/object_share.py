# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which keypoints lie on the object, and how many would by chance."""

import numpy as np


def on_object(keypoints: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Tell which keypoints lie on an object.

    Args:
        keypoints: (K, 2) float, (x, y) in pixels of the image.
        mask: (H, W) bool, True on the object.

    Returns:
        (K,) bool, whether the pixel nearest to each is of the object; False outside of
        the image.
    """
    height, width = mask.shape
    x, y = np.rint(np.asarray(keypoints)).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return inside & mask[y.clip(0, height - 1), x.clip(0, width - 1)]


def object_cover(mask: np.ndarray, corner: np.ndarray, size: np.ndarray) -> float:
    """Return the share of a crop's pixels that an object covers.

    It is the chance of a point that is put anywhere in the crop to lie on the object.

    Args:
        mask: (H, W) bool, True on the object.
        corner: (2,) float, upper left corner (x, y) of the crop in pixels.
        size: (2,) float, its width and height in pixels.

    Returns:
        Share from 0 to 1; of the object only what lies in the crop counts, of the crop
        also what lies beyond the image.
    """
    low = np.rint(np.asarray(corner)).astype(int)
    high = np.maximum(np.rint(np.asarray(corner) + size).astype(int), low + 1)
    (left, top), (right, bottom) = low.clip(0), high.clip(0)
    return float(mask[top:bottom, left:right].sum() / (high - low).prod())
