"""Filters against closed forms, other libraries, and what they promise."""

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are
from scipy.signal import savgol_filter

from mmkp.apis.motion import (
    find_outliers,
    jitter,
    noise_of,
    smooth_kalman,
    smooth_one_euro,
    smooth_savitzky_golay,
)
from mmkp.apis.motion.gaps import fillable, interpolated


def line(frames=60, speed=(3.0, -1.5), noise=0.0, seed=0):
    """One keypoint (T, 1, 2) that moves along a line."""
    rng = np.random.default_rng(seed)
    exact = np.arange(frames)[:, None, None] * np.array([[speed]])
    return exact + noise * rng.standard_normal((frames, 1, 2))


def batch_smoother(z, seen, index, steps):
    """Least squares over all states at once: what Kalman and RTS compute stepwise."""
    number = len(z)
    rows, right = [], []

    def add(columns, value, deviation):
        row = np.zeros(2 * number)
        for column, factor in columns:
            row[column] += factor
        rows.append(row / deviation), right.append(value / deviation)

    first = z[np.flatnonzero(seen)[0]]
    # The state before the first frame; no time passes until then, but noise does.
    add([(0, 1)], first, 10), add([(1, 1)], 0.0, np.sqrt(100 + 0.0))
    for t in range(number):
        if seen[t]:
            add([(2 * t, 1)], z[t], 1)
        if t:
            d, q = steps[t], index[t]
            # One disturbance moves both: position by d^2 / 2 of it, velocity by d; a
            # millionth of it besides, so that both can be weighed.
            root = np.array([d * d / 2, d]) * q
            cov = np.outer(root, root) + 1e-8 * np.eye(2)
            whiten = np.linalg.inv(np.linalg.cholesky(cov))
            step = np.zeros((2, 2 * number))
            step[0, [2 * t, 2 * t - 2, 2 * t - 1]] = 1, -1, -d
            step[1, [2 * t + 1, 2 * t - 1]] = 1, -1
            for row in whiten @ step:
                rows.append(row), right.append(0.0)
    return np.linalg.lstsq(np.array(rows), np.array(right), None)[0][::2]


def test_kalman_equals_least_squares_over_all_frames():
    z = line(25, noise=1.0)
    seen = np.ones(25, bool)
    seen[[4, 5, 11]] = False
    z[~seen] = np.nan
    steps = np.ones(25)
    steps[7] = 2.5
    ours = smooth_kalman(z, 1.0, steps, rest=0.7, per_speed=0.0)
    for axis in (0, 1):
        expected = batch_smoother(z[:, 0, axis], seen, np.full(25, 0.7), steps)
        np.testing.assert_allclose(ours[:, 0, axis], expected, atol=2e-3)


def test_kalman_has_the_gain_of_the_riccati_equation():
    # Long after its start the filter's covariance is that of the algebraic equation;
    # an impulse amid silence comes out as high as the smoother's steady gain says.
    step, index = np.array([[1.0, 1], [0, 1]]), 0.5
    drive = index**2 * np.outer([0.5, 1], [0.5, 1])
    measure = np.array([[1.0, 0]])
    prior = solve_discrete_are(step.T, measure.T, drive, np.eye(1))
    gain = prior[:, 0] / (prior[0, 0] + 1)
    posterior = prior - np.outer(gain, prior[0])
    back = posterior @ step.T @ np.linalg.inv(prior)
    smoothed = posterior.copy()
    for _ in range(500):
        smoothed = posterior + back @ (smoothed - prior) @ back.T
    z = np.zeros((400, 1, 2))
    z[200] = 1
    ours = smooth_kalman(z, 1.0, rest=index, per_speed=0.0)
    # A measurement's weight is the variance of what is smoothed by it.
    assert ours[200, 0, 0] == pytest.approx(smoothed[0, 0], rel=1e-6)


@pytest.mark.parametrize('kind', ['kalman', 'savgol'])
def test_lines_stay_as_they_are(kind):
    points = line()
    if kind == 'kalman':
        smooth = smooth_kalman(points, 0.5)
    else:
        smooth = smooth_savitzky_golay(points, 25.0)
    np.testing.assert_allclose(smooth[3:-3], points[3:-3], atol=0.05)


def test_noise_is_smoothed_and_fast_movement_is_kept():
    rng = np.random.default_rng(1)
    still = rng.standard_normal((500, 3, 2))
    assert noise_of(still) == pytest.approx(1, rel=0.05)
    smooth = smooth_kalman(still, 1.0)
    assert jitter([smooth]) < jitter([still]) / 3
    jump = np.where(np.arange(60) < 30, 0.0, 40.0)[:, None, None] + np.zeros((1, 1, 2))
    quick = abs(smooth_kalman(jump, 1.0)[29:31, 0, 0] - [0, 40]).max()
    slow = abs(smooth_kalman(jump, 1.0, per_speed=0.0)[29:31, 0, 0] - [0, 40]).max()
    assert quick < 9 and slow > 12


def test_weights_say_whom_to_trust():
    points = np.zeros((40, 1, 2))
    points[20] = 10
    weights = np.ones((40, 1))
    high = smooth_kalman(points, 1.0, None, weights)[20, 0, 0]
    weights[20] = 0.1
    assert smooth_kalman(points, 1.0, None, weights)[20, 0, 0] < high / 5


def test_scale_does_not_count():
    points = line(noise=1.0)
    np.testing.assert_allclose(
        smooth_kalman(7 * points, 7.0), 7 * smooth_kalman(points, 1.0)
    )
    seconds = np.full(60, 0.04)
    np.testing.assert_allclose(
        smooth_one_euro(7 * points, 7.0, seconds),
        7 * smooth_one_euro(points, 1.0, seconds),
    )


def test_one_euro_by_hand_and_looks_at_no_later_frame():
    points = np.array([0.0, 10.0])[:, None, None] + np.zeros((1, 1, 2))
    seconds = np.full(2, 0.1)

    def alpha(cutoff):
        return 1 / (1 + 1 / (2 * np.pi * cutoff * 0.1))

    speed = alpha(1.0) * 100 * np.sqrt(2)  # of both coordinates
    expected = alpha(2.0 + 0.1 * speed) * 10
    found = smooth_one_euro(points, 1.0, seconds, 2.0, 0.1, 1.0)
    assert found[1, 0, 0] == pytest.approx(expected)
    noisy, seconds = line(noise=2.0), np.full(60, 0.04)
    half = smooth_one_euro(noisy[:30], 1.0, seconds[:30])
    np.testing.assert_array_equal(smooth_one_euro(noisy, 1.0, seconds)[:30], half)


def test_savitzky_golay_is_scipys_and_odd():
    points = line(noise=1.0)
    ours = smooth_savitzky_golay(points, 25.0, 0.28, 2)
    np.testing.assert_array_equal(ours, savgol_filter(points, 7, 2, axis=0))
    short = line(4)
    np.testing.assert_array_equal(smooth_savitzky_golay(short, 25.0), short)


def test_keypoints_that_are_never_seen():
    points = np.concatenate([line(), np.full((60, 1, 2), np.nan)], 1)
    for smooth in (
        smooth_kalman(points, 1.0),
        smooth_savitzky_golay(points, 25.0),
        smooth_one_euro(points, 1.0, np.full(60, 0.04)),
    ):
        assert np.isfinite(smooth[:, 0]).all() and np.isnan(smooth[:, 1]).all()


def test_outliers_are_points_that_come_back():
    points = line(noise=0.3)
    points[20] += 30
    points[40:] += 50  # which stays: no outlier
    points[10] = np.nan
    found = find_outliers(points, 0.3)
    assert found[20, 0] and found.sum() == 1
    assert not find_outliers(np.full((5, 2, 2), np.nan), 1.0).any()


def test_gaps_are_filled_up_to_a_limit():
    points = np.arange(20.0)[:, None, None] + np.zeros((1, 1, 2))
    points[:2] = points[5:7] = points[10:15] = np.nan
    times = np.arange(20) / 10
    assert np.flatnonzero(fillable(points, times, 0.2)[:, 0]).tolist() == [5, 6]
    assert np.flatnonzero(fillable(points, times, 0.5)[:, 0]).tolist() == [
        5, 6, 10, 11, 12, 13, 14,
    ]  # fmt: skip
    assert not fillable(points, times, 0.1).any()
    filled = interpolated(points, times)
    np.testing.assert_allclose(filled[2:, 0, 0], np.arange(2, 20))
    assert np.isnan(filled[:2]).all()
