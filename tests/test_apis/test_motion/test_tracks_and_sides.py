"""Identities and sides that are exchanged on purpose come back."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from mmkp.apis.motion import (
    Tracker,
    Trajectory,
    exchanged,
    find_swaps,
    jitter,
    lag,
    process_track,
    side_exchanges,
)

RATE = 25.0


@pytest.fixture(scope='module')
def flies(data_dir):
    """Points (T, 2, 13, 2) of the second half of the film, and pairs."""
    path = data_dir / 'flies' / 'pair13_tracks.csv'
    if not path.is_file():
        pytest.skip('no data/flies')
    with path.open() as file:
        rows = list(csv.reader(file))
    names = list(dict.fromkeys(rows[2][1:]))
    values = np.array(
        [[float(cell or 'nan') for cell in row[1:]] for row in rows[1504:]]
    ).reshape(-1, 2, len(names), 3)
    pairs = [
        (i, names.index(name.replace('L', 'R')))
        for i, name in enumerate(names)
        if 'L' in name
    ]
    return values[..., :2], values[..., 2], pairs


@pytest.mark.parametrize(
    'smooth, least_jitter, least_lag',
    [('kalman', 0.5, 2.0), ('savgol', 0.85, 3.0), ('oneeuro', 0.9, 2.0)],
)
def test_jitter_and_lag_of_flies(flies, smooth, least_jitter, least_lag):
    points, scores, pairs = flies
    settings = SimpleNamespace(smooth=smooth, max_gap=0.2, fix_swaps=True)
    times = np.arange(len(points)) / RATE
    before, after = [], []
    for animal in range(2):
        track = Trajectory(0, points[:, animal], scores[:, animal], times)
        done = process_track(track, settings, pairs, RATE)
        before.append(done.sides), after.append(done.track.points)
    assert jitter([points[:, 0], points[:, 1]]) == pytest.approx(2.5, abs=0.1)
    assert jitter(after) < least_jitter
    assert lag(before, after, RATE) < least_lag
    raw = side_exchanges([points[:, 0], points[:, 1]], pairs)[0]
    assert side_exchanges(after, pairs)[0] <= raw / 3
    known = [np.isnan(p[..., 0]).mean() for p in before]
    assert [np.isnan(p[..., 0]).mean() for p in after] < known


def test_sides_that_were_exchanged_on_purpose(flies):
    points, _, pairs = flies
    known = exchanged(points[:, 0], pairs, find_swaps(points[:, 0], pairs))
    rng = np.random.default_rng(0)
    wrong = np.zeros((len(known), len(pairs)), bool)
    for column in range(len(pairs)):
        for start in rng.choice(len(known) - 30, 20, replace=False):
            wrong[start : start + 5, column] = True
    found = find_swaps(exchanged(known, pairs, wrong), pairs)
    legs = slice(1, None)  # wings lie upon each other
    assert (found & wrong)[:, legs].sum() / wrong[:, legs].sum() > 0.9
    assert (found & ~wrong)[:, legs].mean() < 0.02


def test_sides_that_are_right_stay():
    still = np.zeros((50, 2, 2))
    still[:, 1] = 20
    still += np.random.default_rng(0).standard_normal(still.shape)
    assert not find_swaps(still, [(0, 1)]).any()
    still[10:13] = still[10:13, ::-1]
    still[11, 0] = np.nan
    found = find_swaps(still, [(0, 1)])
    assert np.flatnonzero(found[:, 0]).tolist() == [10, 11, 12]
    np.testing.assert_allclose(exchanged(still, [(0, 1)], found)[10, 0], 0, atol=4)
    assert find_swaps(still, []).shape == (50, 0)


def test_identities_of_shuffled_flies(flies):
    points = flies[0]
    rng = np.random.default_rng(0)
    tracker, last, kept, steps = Tracker(), {}, 0, 0
    for frame, animals in enumerate(points):
        order = [a for a in rng.permutation(2) if np.isfinite(animals[a]).any()]
        numbers = tracker.update(animals[order], frame / RATE)
        for animal, number in zip(order, numbers, strict=True):
            steps += animal in last
            kept += last.get(animal) == number
            last[animal] = number
    assert kept / steps > 0.995


def test_objects_come_and_go():
    tracker = Tracker(gate=1.0, max_age=0.5)
    box = np.array([[0.0, 0], [10, 10], [np.nan, np.nan]])
    assert tracker.update(np.stack([box, box + 100]), 0.0) == [0, 1]
    assert tracker.update(np.stack([box + 102]), 0.1) == [1]
    assert tracker.update(np.stack([box + 104, box + 3]), 0.2) == [1, 0]
    assert tracker.update(np.stack([box + 300]), 0.3) == [2]
    assert tracker.update(np.zeros((0, 3, 2)), 0.4) == []
    # After half a second it is another one.
    assert tracker.update(np.stack([box + 3]), 2.0) == [3]
