# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints with the links between them, in the data set's colours."""

from typing import NamedTuple

import numpy as np

from mmkp.visualization.keypoints import default_radius, draw_keypoints, draw_limbs

# Decoders also return guesses, which are worth their place in an evaluation only.
CONFIDENT_SCORE = 0.2
_SMALLEST_RADIUS = 1.2  # of a keypoint, in pixels


class SkeletonStyle(NamedTuple):
    """How keypoints are drawn: their colours, links between them, the links' colours.

    Attributes:
        colors: RGB of each keypoint, 0 to 255, shape (K, 3).
        links: pairs of keypoints, shape (E, 2), int.
        link_colors: RGB of each link, shape (E, 3).
    """

    colors: np.ndarray
    links: np.ndarray
    link_colors: np.ndarray


def draw_skeletons(
    picture: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray,
    boxes: np.ndarray,
    style: SkeletonStyle,
    min_score: float = CONFIDENT_SCORE,
    numbers: bool = False,
) -> np.ndarray:
    """Draw skeletons; lines are the thinner the smaller a box is.

    Args:
        picture: RGB, shape (H, W, 3), uint8; not changed.
        keypoints: (x, y) in pixels of the picture, shape (N, K, 2); later instances
            lie on top.
        scores: (N, K).
        boxes: x1, y1, x2, y2 in pixels of the picture, shape (N, 4).
        style: links and colours.
        min_score: keypoints of a lower score, and those of 0, are not drawn.
        numbers: write each keypoint's number beside it.

    Returns:
        Picture of the same shape.
    """
    largest = default_radius(picture)
    shown = (scores > 0) & (scores >= min_score)
    for points, visible, box in zip(keypoints, shown, boxes, strict=True):
        points = np.where(visible[:, None], points, np.nan)
        extent = float(np.hypot(box[2] - box[0], box[3] - box[1]))
        radius = float(np.clip(0.013 * extent, _SMALLEST_RADIUS, largest))
        picture = draw_limbs(
            picture, points, style.links, style.link_colors, 0.9 * radius
        )
        picture = draw_keypoints(
            picture, points, style.colors, 0.65 * radius, numbers=numbers
        )
    return picture
