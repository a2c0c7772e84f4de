"""Jitter, lag, delay and exchanged sides of movements that are known."""

import numpy as np
import pytest

from mmkp.apis.motion import delay, jitter, lag, side_exchanges


def wave(frames=400, period=40.0, shift=0.0, height=50.0):
    angle = 2 * np.pi * (np.arange(frames) - shift) / period
    return height * np.stack([np.sin(angle), np.cos(angle)], -1)[:, None]


def test_jitter_is_the_second_difference():
    points = np.zeros((9, 1, 2))
    points[:, 0, 0] = np.arange(9) ** 2
    assert jitter([points]) == 2
    points[:, 0, 0] = 5 * np.arange(9)
    assert jitter([points, points]) == 0
    assert np.isnan(jitter([points[:2]]))


@pytest.mark.parametrize('share', [0.0, 0.1, 0.5])
def test_lag_is_the_share_of_movement_that_is_lost(share):
    points = wave()
    assert lag([points], [(1 - share) * points], 25.0) == pytest.approx(100 * share)


def test_noise_that_is_taken_counts_as_a_small_lag():
    points = wave()
    noisy = points + np.random.default_rng(0).standard_normal(points.shape)
    assert 0 < lag([noisy], [points], 25.0) < 3


@pytest.mark.parametrize('frames', [0.0, 2.0, 2.5])
def test_delay(frames):
    late = wave(shift=frames)
    assert delay([wave()], [late]) == pytest.approx(frames, abs=0.05)


def test_exchanges_are_counted_at_both_their_ends():
    points = np.concatenate([wave(), wave(height=30.0)], 1)
    assert side_exchanges([points], [(0, 1)]) == (0, 399)
    points[100:110] = points[100:110, ::-1]
    assert side_exchanges([points], [(0, 1)])[0] == 2
    assert side_exchanges([points], [(0, 1)], least=1000.0)[0] == 0
    points[105] = np.nan
    assert side_exchanges([points], [(0, 1)]) == (2, 397)
    assert side_exchanges([points], []) == (0, 0)
