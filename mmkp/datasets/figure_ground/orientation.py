# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Whether objects stand the same way in all pictures."""

from collections.abc import Sequence

import cv2
import numpy as np

#: Side of the tiles that are compared, in cells, and of how many angles.
SIDE, ANGLES = 32, 12
#: Deviations of the object's mass between the center of a tile and its edge.
REACH = 2.2


def standing_share(distances: Sequence[np.ndarray]) -> float:
    """Share of objects that look most like the mean of the others as they stand.

    Each is turned by multiples of 30 degrees around its center of mass and compared
    with the mean of the others, by the cosine between the two. One that fits best
    turned by 30 degrees at most stands as the others do; of objects that are turned any
    way a quarter does by chance.

    Args:
        distances: how far each pixel is from the background, 0 beside the object,
            (H, W), a picture each.

    Returns:
        From 0 to 1; 0 of fewer than two objects.
    """
    tiles = [_tile(distance) for distance in distances if distance.any()]
    if len(tiles) < 2:
        return 0.0
    total = np.sum(tiles, axis=0)
    standing = 0
    for tile in tiles:
        others = total - tile
        fits = [(_turned(tile, turn) * others).sum() for turn in range(ANGLES)]
        standing += int(np.argmax(fits)) in (0, 1, ANGLES - 1)
    return standing / len(tiles)


def _tile(distance: np.ndarray) -> np.ndarray:
    """The object around its center of mass at a fixed size, of length 1, (32, 32)."""
    rows, columns = np.nonzero(distance)
    mass = distance[rows, columns].astype(float)
    places = np.stack((columns, rows))
    center = np.average(places, axis=1, weights=mass)
    off = ((places - center[:, None]) ** 2).sum(0)
    reach = REACH * max(float(np.average(off, weights=mass)) ** 0.5, 1.0)
    scale = SIDE / (2 * reach)
    shift = (SIDE - 1) / 2 - scale * center
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    # Thin objects would fall between the cells of a reduced picture.
    soft = cv2.GaussianBlur(distance.astype(np.float32), (0, 0), max(0.6 / scale, 0.3))
    tile = cv2.GaussianBlur(cv2.warpAffine(soft, matrix, (SIDE, SIDE)), (0, 0), 1.5)
    return tile / max(float(np.linalg.norm(tile)), 1e-12)


def _turned(tile: np.ndarray, turn: int) -> np.ndarray:
    """A tile turned by so many twelfths around its center."""
    middle = ((SIDE - 1) / 2, (SIDE - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, turn * 360 / ANGLES, 1)
    return cv2.warpAffine(tile, matrix, (SIDE, SIDE))
