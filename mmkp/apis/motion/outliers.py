# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Points that jump away from their trajectory and back.

Hampel's identifier, as in Davies and Gather, "The identification of multiple outliers",
JASA 88, 1993, of what is left of each point without its local line: what is further
away than so many median absolute deviations of its window is an outlier.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

_TO_DEVIATION = 1.4826  # of a normal distribution
_LEAST = 4.0  # deviations of the noise, below which no spread is taken


def find_outliers(
    points: np.ndarray, noise: float, half: int = 3, threshold: float = 5.0
) -> np.ndarray:
    """Find points that are far from where they are before and after.

    Args:
        points: (T, K, 2) float, NaN where there is none.
        noise: standard deviation of the noise of a coordinate, in pixels.
        half: frames on each side of the window.
        threshold: in standard deviations.

    Returns:
        (T, K) bool.
    """
    width = ((half, half), (0, 0), (0, 0))
    padded = np.pad(np.asarray(points, float), width, constant_values=np.nan)
    number = len(points)
    middles = [
        (padded[half - i :][:number] + padded[half + i :][:number]) / 2
        for i in range(1, half + 1)
    ]
    # Half-way between the neighbours on both sides lies the point of a line.
    away = np.linalg.norm(points - _median(np.stack(middles, -1)), axis=-1)
    around = np.pad(away, width[:2], constant_values=np.nan)
    spread = _median(sliding_window_view(around, 2 * half + 1, axis=0))
    return away > threshold * np.maximum(_TO_DEVIATION * spread, _LEAST * noise)


def _median(windows: np.ndarray) -> np.ndarray:
    """Median over the last axis without NaN; NaN where all are."""
    seen = np.isfinite(windows)
    values = np.sort(np.where(seen, windows, np.inf), axis=-1)
    number = seen.sum(-1)
    low, high = np.maximum(number - 1, 0) // 2, number // 2
    last = windows.shape[-1] - 1
    halves = [
        np.take_along_axis(values, np.minimum(index, last)[..., None], -1)[..., 0]
        for index in (low, high)
    ]
    return np.where(number > 0, (halves[0] + halves[1]) / 2, np.nan)
