# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which pixels of a picture are its object."""

import cv2
import numpy as np

from mmkp.datasets.figure_ground.backgrounds import border_surface

#: Gaps up to this share of the longer side do not part an object.
GAP = 0.02


def background_distance(image: np.ndarray, scene: np.ndarray | None) -> np.ndarray:
    """Measure how far each pixel is from the background.

    The background is the surface that the border shows, or the scene of a still camera:
    the one that explains more of the picture, which has the smaller median distance.

    Args:
        image: (H, W, 3) uint8.
        scene: the scene without the object, of the same shape, or None.

    Returns:
        Largest difference of the channels, (H, W) float32, in grey values.
    """
    picture = image.astype(np.float32)
    surfaces = [border_surface(picture)]
    if scene is not None:
        surfaces.append(scene.astype(np.float32))
    found = [_largest(np.abs(picture - surface)) for surface in surfaces]
    return min(found, key=lambda distance: np.median(distance[::2, ::2]))


def _largest(values: np.ndarray) -> np.ndarray:
    """Maximum over three channels, ten times as fast as along the last axis."""
    return np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2])


def figure_mask(
    image: np.ndarray, scene: np.ndarray | None = None, single: bool = True
) -> np.ndarray:
    """Find the pixels of the largest object before a background, or of all.

    Distances from the background (:func:`background_distance`) are parted by the
    threshold of Otsu (IEEE Transactions on Systems, Man, and Cybernetics 1979); the
    largest connected part is the object, small gaps being bridged.

    Args:
        image: (H, W, 3) uint8.
        scene: the scene without the object, of the same shape, or None.
        single: whether all but the largest connected part is left out.

    Returns:
        True on the object, (H, W) bool; nowhere in a picture of one color.
    """
    distance = background_distance(image, scene).clip(0, 255).astype(np.uint8)
    limit, _ = cv2.threshold(distance, 0, 255, cv2.THRESH_OTSU)
    apart = (distance > limit).astype(np.uint8)
    if not single:
        return apart > 0
    side = 2 * max(1, round(GAP / 2 * max(apart.shape))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    bridged = cv2.morphologyEx(apart, cv2.MORPH_CLOSE, disc)
    number, labels = cv2.connectedComponents(bridged)
    if number < 2:
        return np.zeros(apart.shape, bool)
    sizes = np.bincount(labels[apart > 0], minlength=number)
    sizes[0] = 0
    return (labels == sizes.argmax()) & (apart > 0)
