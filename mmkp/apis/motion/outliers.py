# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Points that jump away from their trajectory and back.

Hampel's identifier, as in Davies and Gather, "The identification of multiple outliers",
JASA 88, 1993: what is further from the median of its window than so many of the
window's median absolute deviations.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

_TO_DEVIATION = 1.4826  # of a normal distribution
_BLOCK = 4096  # frames at once


def find_outliers(
    points: np.ndarray, noise: float, half: int = 3, threshold: float = 5.0
) -> np.ndarray:
    """Find points that are far from where they are before and after.

    Args:
        points: (T, K, 2) float, NaN where there is none.
        noise: standard deviation of the noise, below which no spread is taken.
        half: frames on each side of the window.
        threshold: in standard deviations.

    Returns:
        (T, K) bool.
    """
    width = ((half, half), (0, 0), (0, 0))
    padded = np.pad(np.asarray(points, float), width, constant_values=np.nan)
    found = []
    for start in range(0, len(points), _BLOCK):
        block = padded[start : start + _BLOCK + 2 * half]
        windows = sliding_window_view(block, 2 * half + 1, axis=0)
        median = _median(windows)
        spread = _median(np.linalg.norm(windows - median[..., None], axis=-2))
        middle = windows[..., half]
        away = np.linalg.norm(middle - median, axis=-1)
        found.append(away > threshold * np.maximum(_TO_DEVIATION * spread, 2 * noise))
    return np.concatenate(found) if found else np.zeros(points.shape[:2], bool)


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
