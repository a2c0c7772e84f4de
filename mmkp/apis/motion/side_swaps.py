# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Left and right that are exchanged for some frames, put back by where they were.

For each pair a dynamic program (Viterbi, "Error bounds for convolutional codes", IEEE
Trans. Information Theory 13, 1967) chooses in which frames the pair is exchanged: least
total path of the two points, plus a price for each beginning and end of an exchange and
a small one for each frame of it.
"""

from collections.abc import Sequence

import numpy as np

# In median distances of the two points.
_PRICE_OF_CHANGE, _PRICE_OF_FRAME = 0.5, 0.01
_LONGEST_PATH = 3.0


def find_swaps(points: np.ndarray, pairs: Sequence[Sequence[int]]) -> np.ndarray:
    """Find in which frames pairs are exchanged.

    Args:
        points: (T, K, 2) float of one object, NaN where there is none.
        pairs: P pairs of keypoints, left and right.

    Returns:
        (T, P) bool; a frame without both points is as the one before.
    """
    swapped = np.zeros((len(points), len(pairs)), bool)
    for column, (left, right) in enumerate(pairs):
        both = points[:, [left, right]]
        seen = np.flatnonzero(np.isfinite(both).all((1, 2)))
        if len(seen) < 3:
            continue
        states = _best_states(both[seen])
        latest = np.searchsorted(seen, np.arange(len(points)), 'right') - 1
        swapped[:, column] = states[np.maximum(latest, 0)]
    return swapped


def exchanged(
    values: np.ndarray, pairs: Sequence[Sequence[int]], swapped: np.ndarray
) -> np.ndarray:
    """Exchange pairs.

    Args:
        values: (T, K, ...) of keypoints.
        pairs: P pairs of keypoints.
        swapped: (T, P) bool, where.

    Returns:
        The same shape.
    """
    result = np.array(values)
    for column, (left, right) in enumerate(pairs):
        rows = swapped[:, column]
        result[rows, left], result[rows, right] = (
            values[rows, right],
            values[rows, left],
        )
    return result


def _best_states(both: np.ndarray) -> np.ndarray:
    """(t,) bool of the cheapest path through pairs (t, 2, 2) of seen points."""
    apart = max(
        float(np.median(np.linalg.norm(both[:, 0] - both[:, 1], axis=-1))), 1e-9
    )

    def path(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        length = np.linalg.norm(first - second, axis=-1) / apart
        return np.minimum(length, _LONGEST_PATH).sum(-1)

    straight = path(both[1:], both[:-1])
    crossed = path(both[1:], both[:-1, ::-1]) + _PRICE_OF_CHANGE
    cost = np.array([0.0, _PRICE_OF_FRAME])
    came_from = np.zeros((len(both), 2), int)
    frame = cost.copy()
    for t in range(1, len(both)):
        ways = np.array(
            [
                [cost[0] + straight[t - 1], cost[1] + crossed[t - 1]],
                [cost[1] + straight[t - 1], cost[0] + crossed[t - 1]],
            ]
        )
        choice = ways.argmin(1)
        came_from[t] = [choice[0], 1 - choice[1]]
        cost = ways.min(1) + frame
    states = np.zeros(len(both), int)
    states[-1] = cost.argmin()
    for t in range(len(both) - 1, 0, -1):
        states[t - 1] = came_from[t, states[t]]
    return states.astype(bool)
