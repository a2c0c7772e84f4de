# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The one-euro filter, which looks at no later frame and so serves cameras.

Casiez, Roussel and Vogel, "1 euro filter: a simple speed-based low-pass filter for
noisy input in interactive systems", CHI 2012, sections 2 and 3.
"""

import numpy as np

# Hz, and Hz a standard deviation of the noise a second; chosen on the first half of the
# flies' film, docs/benchmarks.md.
MIN_CUTOFF, BETA, SPEED_CUTOFF = 1.0, 0.02, 3.0


def smooth_one_euro(
    points: np.ndarray,
    noise: float,
    seconds: np.ndarray,
    min_cutoff: float = MIN_CUTOFF,
    beta: float = BETA,
    speed_cutoff: float = SPEED_CUTOFF,
) -> np.ndarray:
    """Filter trajectories by x_t = alpha z_t + (1 - alpha) x_{t-1}.

    Casiez et al., CHI 2012, section 3: alpha = 1 / (1 + 1 / (2 pi f d)), the cutoff f =
    ``min_cutoff + beta * speed``, and the speed is filtered in the same way at
    ``speed_cutoff``.

    Args:
        points: (T, K, 2) float, NaN where there is none; there the last is repeated.
        noise: standard deviation of the noise of a coordinate, in pixels, the unit of
            the speeds.
        seconds: (T,) times d since the frame before.
        min_cutoff: of what does not move, in Hz.
        beta: how much it grows with the speed.
        speed_cutoff: of the speed, in Hz.

    Returns:
        (T, K, 2) float64, NaN before the first point.
    """

    def alpha(cutoff: np.ndarray | float, step: float) -> np.ndarray:
        return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff * step)))

    filtered = np.array(points, float)
    at, velocity = filtered[0].copy(), np.zeros_like(filtered[0])
    for t in range(1, len(filtered)):
        step, seen = seconds[t], np.isfinite(filtered[t]).all(-1, keepdims=True)
        is_new = seen & ~np.isfinite(at).all(-1, keepdims=True)
        at = np.where(is_new, filtered[t], at)
        smooth = alpha(speed_cutoff, step)
        raw = np.where(seen, (filtered[t] - at) / step, velocity)
        velocity = smooth * raw + (1 - smooth) * velocity
        speed = np.linalg.norm(velocity, axis=-1, keepdims=True) / max(noise, 1e-9)
        share = alpha(min_cutoff + beta * speed, step)
        at = np.where(seen, share * filtered[t] + (1 - share) * at, at)
        filtered[t] = at
    return filtered
