# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""In how many images the two sides of a pair of points are exchanged."""

from collections.abc import Sequence

import numpy as np


def swapped_pairs(
    points: np.ndarray, reference: np.ndarray, pairs: Sequence[Sequence[int]]
) -> np.ndarray:
    """Find the pairs that fit their reference better with their sides exchanged.

    The pair (a, b) is where |p_a - r_b| + |p_b - r_a| < |p_a - r_a| + |p_b - r_b|.

    Args:
        points: (n, G, 2) float.
        reference: (n, G, 2) float, in the same unit, such as the annotated points.
        pairs: P index pairs.

    Returns:
        (n, P) bool.
    """
    left, right = np.asarray(pairs, int).reshape(-1, 2).T

    def distance(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[:, ours] - reference[:, theirs], axis=-1)

    straight = distance(left, left) + distance(right, right)
    return distance(left, right) + distance(right, left) < straight


def swap_rate(
    points: np.ndarray,
    reference: np.ndarray,
    pairs: Sequence[Sequence[int]],
    visible: np.ndarray | None = None,
) -> np.ndarray:
    """Share of images in which the sides of each pair are exchanged.

    Args:
        points: (n, G, 2) float.
        reference: (n, G, 2) float, in the same unit.
        pairs: P index pairs.
        visible: (n, G) bool, which points of the reference are known. Default: all.

    Returns:
        (P,) float64 in percent, of images in which both points are known; NaN where
        there is none.
    """
    swapped = swapped_pairs(points, reference, pairs)
    known = np.ones(swapped.shape, bool)
    if visible is not None:
        known = np.all(visible[:, np.asarray(pairs, int).reshape(-1, 2)], axis=-1)
    count = known.sum(axis=0)
    return np.where(
        count > 0, 100 * (swapped & known).sum(axis=0) / np.maximum(count, 1), np.nan
    )


def pairs_of(partners: Sequence[int]) -> list[tuple[int, int]]:
    """Index pairs of a table of partners (MMPose's ``flip_indices``), each once."""
    return [(i, int(j)) for i, j in enumerate(partners) if i < j and partners[j] == i]
