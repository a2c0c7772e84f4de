# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which pixels of a picture are its object."""

import cv2
import numpy as np

from mmkp.datasets.figure_ground.backgrounds import MAD, border_surface

#: Gaps up to this share of the longer side do not part an object.
GAP = 0.02
#: Lower threshold in units of the upper, and deviations of the background below it.
WEAK, STRAYS = 0.5, 4.0
#: Parts of at least that share of the largest one are other objects.
RIVAL = 0.25


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

    See :func:`object_pixels`; the distances are those of :func:`background_distance`.

    Args:
        image: (H, W, 3) uint8.
        scene: the scene without the object, of the same shape, or None.
        single: whether all but the largest connected part is left out.

    Returns:
        True on the object, (H, W) bool; nowhere in a picture of one color.
    """
    distance = background_distance(image, scene)
    return object_pixels(distance, scene is not None, single)


def object_pixels(
    background_distance: np.ndarray, has_scene: bool = False, single: bool = True
) -> np.ndarray:
    """Find the pixels of the largest object, or of all, by their distances.

    Distances from the background are parted by two thresholds, as edges are by Canny
    (IEEE Transactions on Pattern Analysis and Machine Intelligence 1986): what exceeds
    Otsu's (IEEE Transactions on Systems, Man, and Cybernetics 1979) is an object, and
    so is what is connected to it and exceeds half of that and the noise of the
    background, such as a leg of nearly its color. The largest connected part is the
    object, small gaps being bridged; what is nearer to another part that is a quarter
    as large is not. Before a still camera's scene one threshold has to do, as shadows
    and mirror images differ as faintly as parts do.

    Args:
        background_distance: of each pixel, (H, W), in grey values.
        has_scene: whether the background is a still camera's scene.
        single: whether all but the largest connected part is left out.

    Returns:
        True on the object, (H, W) bool; nowhere where all distances are equal.
    """
    distance = background_distance.clip(0, 255).astype(np.uint8)
    limit, _ = cv2.threshold(distance, 0, 255, cv2.THRESH_OTSU)
    strong = distance > limit
    lower = limit if has_scene else WEAK * limit
    weak = distance > max(lower, _noise(distance[~strong]))
    if single:
        strong, rivals = _largest_part(strong)
        weak &= _distance_from(strong) <= _distance_from(rivals)
    number, labels = _connected(weak | strong)
    seeds = np.zeros(number, bool)
    seeds[labels[strong]] = True
    return seeds[labels] & (weak | strong)


def _noise(distances: np.ndarray) -> float:
    """What the background's own distances hardly exceed, by their deviation (MAD)."""
    middle = np.median(distances)
    return float(middle + STRAYS * np.median(np.abs(distances - middle)) / MAD)


def _connected(pixels: np.ndarray) -> tuple[int, np.ndarray]:
    """Number of labels and the label of each pixel, small gaps being bridged."""
    side = 2 * max(1, round(GAP / 2 * max(pixels.shape))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    bridged = cv2.morphologyEx(pixels.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    return cv2.connectedComponents(bridged)


def _largest_part(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The connected part of most pixels, and others that are a quarter as large."""
    number, labels = _connected(pixels)
    sizes = np.bincount(labels[pixels], minlength=number)
    sizes[0] = 0
    largest = sizes.argmax()
    others = sizes >= max(RIVAL * sizes[largest], 1)
    others[largest] = False
    return (labels == largest) & pixels, others[labels] & pixels


def _distance_from(pixels: np.ndarray) -> np.ndarray:
    """Distance of each pixel from the nearest of these, large where there is none."""
    if not pixels.any():
        return np.full(pixels.shape, np.inf, np.float32)
    return cv2.distanceTransform((~pixels).astype(np.uint8), cv2.DIST_L2, 3)
