# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Kalman filter and Rauch-Tung-Striebel smoother of points that move at a velocity.

Model, for each coordinate: p_t = p_{t-1} + v_{t-1} d, disturbed by an acceleration of
the standard deviation a, and a measurement z_t = p_t + noise of the standard deviation
r. Only a d^2 / r, the tracking index, counts for where the points come to lie (Kalata,
"The tracking index: a generalized parameter for alpha-beta and alpha-beta-gamma target
trackers", IEEE TAES 20, 1984). Filter: Kalman 1960; smoother: Rauch, Tung and Striebel,
"Maximum likelihood estimates of linear dynamic systems", AIAA Journal 3, 1965.
"""

import numpy as np

# Chosen on the first half of the flies' film, docs/benchmarks.md.
REST, PER_SPEED = 0.5, 0.2
_FIRST_PASS = 1.5


def smooth_kalman(
    points: np.ndarray,
    noise: float,
    steps: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    rest: float = REST,
    per_speed: float = PER_SPEED,
) -> np.ndarray:
    """Smooth trajectories much where they rest and little where they move fast.

    The smoother is that of Rauch, Tung and Striebel, 1965. A first pass tells the
    speeds, the second has the tracking index ``rest + per_speed * speed``, with the
    greatest speed of a frame and its neighbours, in standard deviations of the noise a
    frame.

    Args:
        points: (T, K, 2) float, NaN where there is none.
        noise: standard deviation of the noise of a coordinate, in pixels.
        steps: (T,) time since the frame before in frames; by default 1.
        weights: (T, K), how far to trust each point; the noise is divided by them.
        rest: tracking index of what does not move.
        per_speed: how much it grows with the speed.

    Returns:
        (T, K, 2) float64; also where there is no point, NaN of keypoints without any.
    """
    steps = np.ones(len(points)) if steps is None else np.asarray(steps, float)
    shape = points.shape[:2]
    variances = np.ones(shape) if weights is None else weights**-2.0
    scaled = np.asarray(points, float) / max(noise, 1e-9)
    index = np.full(shape, _FIRST_PASS)
    speed = np.linalg.norm(_smoothed(scaled, index, variances, steps)[1], axis=-1)
    padded = np.pad(speed, ((1, 1), (0, 0)), mode='edge')
    speed = np.maximum(np.maximum(padded[2:], padded[:-2]), speed)
    index = rest + per_speed * speed
    return max(noise, 1e-9) * _smoothed(scaled, index, variances, steps)[0]


def _smoothed(
    points: np.ndarray, index: np.ndarray, variances: np.ndarray, steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Positions and velocities (T, K, 2), by one pass forth and one back.

    The covariance of a keypoint is that of both its coordinates: a, b, c stand for
    [[a, b], [b, c]].
    """
    number, seen = len(points), np.isfinite(points).all(-1)
    first = seen.argmax(0)
    at = points[first, np.arange(points.shape[1])]
    state = np.stack([at, np.zeros_like(at)])
    a, b, c = (np.full(len(first), value) for value in (100.0, 0.0, 100.0))
    states, covariances = [], []
    for t in range(number):
        d, q = (steps[t] if t else 0.0), index[t] ** 2
        state = np.stack([state[0] + d * state[1], state[1]])
        a, b, c = (
            a + 2 * d * b + d * d * c + q * d**4 / 4,
            b + d * c + q * d**3 / 2,
            c + q * d**2,
        )
        states.append(state)
        covariances.append((a, b, c))
        gain = np.where(seen[t], 1 / (a + variances[t]), 0.0)
        gains = np.stack([a, b]) * gain
        missed = np.where(seen[t][:, None], points[t] - state[0], 0.0)
        state = state + gains[..., None] * missed
        a, b, c = a - gains[0] * a, b - gains[0] * b, c - gains[1] * b
        states.append(state)
        covariances.append((a, b, c))
    smoothed = [state]
    for t in range(number - 2, -1, -1):
        a, b, c = covariances[2 * t + 1]
        e, f, g = covariances[2 * t + 2]
        d, determinant = steps[t + 1], e * g - f * f
        # G = P_t F' (P_{t+1|t})^-1, of which P_t F' = [[a + d b, b], [b + d c, c]].
        rows = ((a + d * b, b), (b + d * c, c))
        missed = smoothed[-1] - states[2 * t + 2]
        change = [
            ((u * g - v * f) / determinant)[:, None] * missed[0]
            + ((v * e - u * f) / determinant)[:, None] * missed[1]
            for u, v in rows
        ]
        smoothed.append(states[2 * t + 1] + np.stack(change))
    result = np.stack(smoothed[::-1], 1)
    result[:, :, ~seen.any(0)] = np.nan
    return result[0], result[1]
