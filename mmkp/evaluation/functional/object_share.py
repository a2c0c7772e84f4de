# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which keypoints lie on the object."""

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
