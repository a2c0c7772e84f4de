# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Many images of any sizes with their keypoints, in one picture."""

import textwrap
from collections.abc import Sequence

import cv2
import numpy as np

from mmkp.datasets.metainfo import distinct_colors
from mmkp.visualization.canvas import amid_white, text_width, tiled, titled
from mmkp.visualization.discovery_grid import with_legend
from mmkp.visualization.keypoints import draw_keypoints


def contact_sheet(
    images: Sequence[np.ndarray],
    keypoints: Sequence[Sequence[np.ndarray]],
    num_keypoints: int,
    title: str = '',
    tile: int = 224,
    columns: int = 6,
) -> np.ndarray:
    """Draw the keypoints of all objects on images of any sizes.

    Args:
        images: RGB, each (H, W, 3) uint8.
        keypoints: of each image, of each object in it, (K, 2), x, y in pixels.
        num_keypoints: K.
        title: line at the top.
        tile: length of a tile's side in pixels.
        columns: number of images in a row.

    Returns:
        One RGB picture, uint8.
    """
    colors = np.array(distinct_colors(num_keypoints))
    tiles = []
    for image, objects in zip(images, keypoints, strict=True):
        square, scale, corner = _letterboxed(image, tile)
        for points in objects:
            places = (np.asarray(points, float) + 0.5) * scale - 0.5 + corner
            square = draw_keypoints(square, places, colors)
        tiles.append(square)
    sheet = with_legend(tiled(tiles, columns), colors)
    letters = max(20, int(0.9 * len(title) * sheet.shape[1] / (text_width(title) + 1)))
    for line in reversed(textwrap.wrap(title, letters)):
        sheet = titled(sheet, line)
    return sheet


def _letterboxed(image: np.ndarray, tile: int) -> tuple[np.ndarray, float, np.ndarray]:
    """The image in the middle of a white square, its scale, and where it begins."""
    scale = tile / max(image.shape[:2])
    size = [max(1, round(scale * length)) for length in image.shape[1::-1]]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    reduced = cv2.resize(image, size, interpolation=method)
    corner = (tile - np.array(size)) // 2
    return amid_white(reduced, tile, tile), scale, corner
