# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How steadily each keypoint keeps its place among the others, without labels."""

import numpy as np

_ITERATIONS = 10


def relative_spread(keypoints: np.ndarray) -> np.ndarray:
    """Spread of each keypoint's place relative to the other ones, over images.

    The mean shape of all images (generalised Procrustes analysis; Gower,
    Psychometrika 1975) is moved onto the other keypoints of each image by the
    similarity of least squares, and the keypoint is compared with its place there. A
    limb that bends has a spread too, and what stands still before a background
    together with others has none: read it beside the spread over images.

    Args:
        keypoints: (n, K, 2) float, (x, y) in one unit.

    Returns:
        (K,) float64, root mean square over images in that unit; NaN for K below 3,
        where a similarity is not determined.
    """
    points = np.asarray(keypoints, np.float64)
    places = points[..., 0] + 1j * points[..., 1]
    number = places.shape[1]
    if number < 3:
        return np.full(number, np.nan)
    mean = _mean_shape(places)
    spread = np.empty(number)
    for index in range(number):
        others = np.arange(number) != index
        scale, shift = _similarity(mean[others], places[:, others])
        offset = places[:, index] - (scale * mean[index] + shift)
        spread[index] = np.sqrt(np.square(np.abs(offset)).mean())
    return spread


def _similarity(shape: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factor and shift (n,) complex that move a shape (K,) onto places (n, K)."""
    centered = shape - shape.mean()
    square = max(float(np.square(np.abs(centered)).sum()), 1e-30)
    scale = (places * centered.conj()).sum(axis=1) / square
    return scale, places.mean(axis=1) - scale * shape.mean()


def _mean_shape(places: np.ndarray) -> np.ndarray:
    """Mean (K,) of shapes (n, K) turned, scaled and moved onto it, of size 1."""
    centered = places - places.mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(centered, axis=1, keepdims=True)
    shapes = centered / sizes.clip(1e-30)
    mean = shapes[0]
    for _ in range(_ITERATIONS):
        turns = (shapes.conj() * mean).sum(axis=1, keepdims=True)
        turned = shapes * turns / np.abs(turns).clip(1e-30)
        mean = turned.mean(axis=0)
        mean = mean / max(float(np.linalg.norm(mean)), 1e-30)
    return mean
