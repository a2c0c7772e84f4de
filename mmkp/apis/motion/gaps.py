# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Frames in which a keypoint is missing between two in which it is there."""

import numpy as np


def fillable(points: np.ndarray, times: np.ndarray, longest: float) -> np.ndarray:
    """Find the missing points of short gaps.

    Args:
        points: (T, K, 2) float, NaN where there is none.
        times: (T,) in seconds.
        longest: seconds from the point before to the point behind a gap, less one
            frame, that are still short.

    Returns:
        (T, K) bool.
    """
    seen = np.isfinite(points).all(-1)
    number = len(points)
    index = np.arange(number)[:, None]
    before = np.maximum.accumulate(np.where(seen, index, -1), 0)
    behind = np.minimum.accumulate(np.where(seen, index, number)[::-1], 0)[::-1]
    inside = ~seen & (before >= 0) & (behind < number)
    last = number - 1
    frames = np.where(inside, behind - before, 2)
    span = times[np.minimum(behind, last)] - times[np.maximum(before, 0)]
    return inside & (span * (frames - 1) / frames <= longest + 1e-9)


def interpolated(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Draw straight lines over gaps.

    Args:
        values: (T, ...) float, NaN where there is none.
        times: (T,) in seconds.

    Returns:
        The same without gaps between the first and the last value of each column.
    """
    filled = np.array(values, float)
    columns = filled.reshape(len(filled), -1)
    for column in columns.T:
        seen = np.isfinite(column)
        if seen.any() and not seen.all():
            line = np.interp(times, times[seen], column[seen], np.nan, np.nan)
            column[:] = np.where(seen, column, line)
    return filled
