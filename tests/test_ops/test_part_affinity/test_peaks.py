"""Peaks between the cells: closed forms, ties and borders."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.ops.part_affinity.peaks import (
    Peaks,
    find_peaks,
    highest_peaks,
    thinned_peaks,
)


def gaussians(centers, sigma=0.875, size=(12, 10)):
    """Maps (C, h, w) of one Gaussian each, as sampled at the cells."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    squared = [(x - a) ** 2 + (y - b) ** 2 for a, b in centers]
    return np.exp(-np.array(squared) / (2 * sigma**2)).astype(np.float32)


def channels(peaks):
    """The map of each peak."""
    return np.repeat(np.arange(len(peaks.first) - 1), np.diff(peaks.first))


@pytest.mark.parametrize('sigma', [0.875, 1.75])
def test_centre_of_a_gaussian_is_recovered(sigma):
    offsets = np.linspace(-0.49, 0.49, 15)
    centers = [(5 + dx, 4 + dy) for dx in offsets for dy in offsets]
    peaks = find_peaks(gaussians(centers, sigma), 0.05)
    np.testing.assert_array_equal(channels(peaks), np.arange(len(centers)))
    found = np.stack([peaks.x, peaks.y], 1)
    # The logarithm is an approximation, and neighbours under 1 % count as 1 %.
    np.testing.assert_allclose(found, centers, atol=1e-2)
    assert peaks.score.dtype == peaks.x.dtype == np.float64


@pytest.mark.parametrize('height', [1, 3])
@pytest.mark.parametrize('width', [1, 2, 5])
def test_plateau_counts_once(height, width):
    maps = np.zeros((1, 8, 9), np.float32)
    maps[0, 2 : 2 + height, 3 : 3 + width] = 0.5
    peaks = find_peaks(maps, 0.1)
    assert len(peaks.x) == 1 and peaks.score[0] == 0.5
    # It lies at the plateau's first cell, or between that and its equal neighbour.
    assert 3 <= peaks.x[0] <= 3.5 and 2 <= peaks.y[0] <= 2.5
    if (height, width) == (1, 1):
        assert (peaks.x[0], peaks.y[0]) == (3, 2)


def test_constant_map_has_one_peak():
    peaks = find_peaks(np.full((2, 5, 5), 0.3, np.float32), 0.1)
    np.testing.assert_array_equal(channels(peaks), [0, 1])
    np.testing.assert_array_equal(peaks.x, [0, 0])


def test_peaks_on_the_border_stay_in_their_cell():
    maps = gaussians([(0.3, 4.3), (11.2, 4.3), (5.3, -0.2), (5.3, 9.4), (0, 9)])
    x, y = find_peaks(maps, 0.05)[1:3]
    np.testing.assert_allclose(x, [0, 11, 5.3, 5.3, 0], atol=1e-2)
    np.testing.assert_allclose(y, [4.3, 4.3, 0, 9, 9], atol=1e-2)
    assert x[0] == y[2] == 0 and x[1] == 11 and y[3] == 9


def test_border_cells_of_enlarged_maps_are_no_peaks():
    maps = gaussians([(0, 4), (11, 9), (5.2, 4.1)])
    maps[0, 4, 6] = 0.5  # a ripple inside, beside the peak that is cut off
    peaks = find_peaks(maps, 0.1, border=False)
    np.testing.assert_array_equal(channels(peaks), [0, 2])
    np.testing.assert_allclose(peaks.x[1], 5.2, atol=1e-2)


@pytest.mark.parametrize('shape', [(1, 1), (1, 7), (7, 1), (2, 2)])
@pytest.mark.parametrize('border', [True, False])
def test_maps_smaller_than_their_border(shape, border):
    peaks = find_peaks(np.ones((2, *shape), np.float32), 0.1, border)
    assert len(peaks.x) == (2 if border else 0)


@pytest.mark.parametrize('shape', [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_maps_of_one_row_or_column(shape):
    maps = np.zeros((3, *shape), np.float32)
    maps[1, -1, -1] = 0.7
    peaks = find_peaks(maps, 0.1)
    np.testing.assert_array_equal(channels(peaks), [1])
    assert (peaks.x[0], peaks.y[0]) == (shape[1] - 1, shape[0] - 1)
    assert peaks.score[0] == np.float32(0.7)


def test_threshold_has_to_be_exceeded():
    maps = gaussians([(5, 4)])
    assert len(find_peaks(maps, 0.999).x) == 1
    assert len(find_peaks(maps, 1.0).x) == 0
    assert find_peaks(maps[:0], 0.1).x.shape == (0,)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_undefined_values(value):
    maps = gaussians([(5, 4)])
    for row in range(3, 6):
        for column in range(4, 7):
            if (row, column) == (4, 5):
                continue
            broken = maps.copy()
            broken[0, row, column] = value
            peaks = find_peaks(broken, 0.05)
            if value == np.inf:
                # It exceeds everything.
                assert len(peaks.x) == 1 and peaks.score[0] == value
                continue
            assert len(peaks.x) == 1 and peaks.score[0] == 1
            assert abs(peaks.x[0] - 5) < 1 and abs(peaks.y[0] - 4) < 1


def test_undefined_map_has_no_peaks():
    assert len(find_peaks(np.full((1, 4, 4), np.nan, np.float32), 0.05).x) == 0


def test_two_maxima_of_one_map_come_row_by_row():
    maps = gaussians([(8, 2), (2, 7)]).sum(0, keepdims=True)
    peaks = find_peaks(maps, 0.05)
    np.testing.assert_allclose(peaks.x, [8, 2], atol=1e-2)
    np.testing.assert_allclose(peaks.y, [2, 7], atol=1e-2)


@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.integers(1, 9),
    height=st.integers(1, 9),
    levels=st.sampled_from([3, 10, 1000]),
)
@settings(max_examples=40, deadline=None)
def test_peaks_are_the_cells_that_nothing_near_exceeds(seed, width, height, levels):
    # Few levels make for many ties.
    random = np.random.default_rng(seed)
    maps = (random.integers(0, levels, (3, height, width)) / levels).astype(np.float32)
    peaks = find_peaks(maps, 0.2)
    cells = set()
    for c, y, x in np.argwhere(maps > 0.2).tolist():
        value, is_peak = maps[c, y, x], True
        for v in range(max(y - 1, 0), min(y + 2, height)):
            for u in range(max(x - 1, 0), min(x + 2, width)):
                before = (v, u) < (y, x) and maps[c, v, u] == value
                is_peak &= not (maps[c, v, u] > value or before)
        if is_peak:
            cells.add((c, y, x))
    assert len(peaks.x) == len(cells)
    for c, x, y, score in zip(channels(peaks), *peaks[1:], strict=True):
        assert any(
            c == k and max(abs(x - u), abs(y - v)) <= 0.5 and maps[k, v, u] == score
            for k, v, u in cells
        )


def test_thinning_keeps_the_first_of_near_peaks_of_one_map():
    peaks = Peaks(
        np.array([0, 3, 5]),
        np.array([1.0, 2.0, 3.5, 1.0, 9.0]),
        np.array([1.0, 1.0, 1.0, 1.0, 1.0]),
        np.array([0.1, 0.9, 0.5, 0.4, 0.3]),
    )
    kept = thinned_peaks(peaks, 2.0)
    # The third is near the second, but that one is gone.
    np.testing.assert_array_equal(kept.score, [0.1, 0.5, 0.4, 0.3])
    np.testing.assert_array_equal(kept.first, [0, 2, 4])


def test_highest_peaks_are_kept_of_equal_ones_the_first():
    score = np.array([0.2, 0.9, 0.2, 0.5, 0.1])
    places = np.arange(5.0)
    kept = highest_peaks(Peaks(np.array([0, 4, 5]), places, places, score), 3)
    np.testing.assert_array_equal(kept.x, [0, 1, 3, 4])
    np.testing.assert_array_equal(kept.first, [0, 3, 4])
