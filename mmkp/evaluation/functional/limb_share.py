# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which keypoints lie near a limb or in the trunk, by annotated joints."""

from collections.abc import Sequence

import numpy as np

Links = Sequence[Sequence[int]]


def limb_distances(
    keypoints: np.ndarray, joints: np.ndarray, links: Links
) -> np.ndarray:
    """Distance of each keypoint to the nearest limb, a straight line of two joints.

    Args:
        keypoints: (n, K, 2) float, (x, y) in any unit.
        joints: (n, G, 2) float, the same unit; NaN where unknown.
        links: Pairs of indices of joints.

    Returns:
        (n, K) float64; infinite where no limb is known.
    """
    nearest = np.full(keypoints.shape[:2], np.inf)
    for start, end in links:
        first = joints[:, None, start]
        along = joints[:, None, end] - first
        length = np.square(along).sum(axis=2).clip(1e-12)
        offset = keypoints - first
        place = ((offset * along).sum(axis=2) / length).clip(0, 1)
        distance = np.linalg.norm(offset - place[..., None] * along, axis=2)
        nearest = np.fmin(nearest, distance)
    return nearest


def inside_polygon(keypoints: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Tell which keypoints lie in a polygon, by the even-odd rule.

    Args:
        keypoints: (n, K, 2) float, (x, y) in any unit.
        corners: (n, T, 2) float, in order; a polygon with a NaN holds nothing.

    Returns:
        (n, K) bool.
    """
    inside = np.zeros(keypoints.shape[:2], bool)
    x, y = keypoints[..., 0], keypoints[..., 1]
    for index in range(corners.shape[1]):
        x0, y0 = corners[:, None, index - 1].transpose(2, 0, 1)
        x1, y1 = corners[:, None, index].transpose(2, 0, 1)
        crossed = (y0 > y) != (y1 > y)
        with np.errstate(divide='ignore', invalid='ignore'):
            inside ^= crossed & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    known = np.isfinite(corners).all(axis=(1, 2)) & (corners.shape[1] > 2)
    return inside & known[:, None]


def near_body(
    keypoints: np.ndarray,
    joints: np.ndarray,
    links: Links,
    trunk: Sequence[int],
    distance: float,
) -> np.ndarray:
    """Tell which keypoints lie within a distance of a limb, or in the trunk.

    A keypoint at a fixed offset beside a part follows it as well as one on it, so
    neither equivariance nor regression tells them apart; this does.

    Args:
        keypoints: (n, K, 2) float, (x, y) in any unit.
        joints: (n, G, 2) float, the same unit; NaN where unknown.
        links: Pairs of indices of joints, the limbs.
        trunk: Indices of the joints at the corners of the trunk, in order; fewer than
            three for none.
        distance: Largest distance that counts as near.

    Returns:
        (n, K) bool.
    """
    close = limb_distances(keypoints, joints, links) <= distance
    return close | inside_polygon(keypoints, joints[:, list(trunk)])
