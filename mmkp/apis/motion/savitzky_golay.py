# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Savitzky and Golay's filter: a polynomial fitted around each frame.

Savitzky and Golay, "Smoothing and differentiation of data by simplified least squares
procedures", Analytical Chemistry 36, 1964.
"""

import numpy as np

# Chosen on the first half of the flies' film, docs/benchmarks.md.
SECONDS, ORDER = 0.28, 2


def smooth_savitzky_golay(
    points: np.ndarray, rate: float, seconds: float = SECONDS, order: int = ORDER
) -> np.ndarray:
    """Smooth trajectories by SciPy's ``savgol_filter``.

    Args:
        points: (T, K, 2) float without a gap between the first and the last point of a
            keypoint.
        rate: frames a second.
        seconds: of the window, an odd number of frames and at least ``order + 3``.
        order: of the polynomial.

    Returns:
        (T, K, 2) float64, NaN where there is no point; keypoints of fewer frames than
        the window are as they were.
    """
    from scipy.signal import savgol_filter  # which takes a third of a second to import

    window = max(2 * round((seconds * rate - 1) / 2) + 1, order + 3 - order % 2)
    smoothed = np.array(points, float)
    for k in range(smoothed.shape[1]):
        seen = np.flatnonzero(np.isfinite(smoothed[:, k]).all(-1))
        if len(seen) >= window:
            span = slice(seen[0], seen[-1] + 1)
            smoothed[span, k] = savgol_filter(smoothed[span, k], window, order, axis=0)
    return smoothed
