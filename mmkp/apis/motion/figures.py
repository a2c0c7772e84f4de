# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How much trajectories tremble, what smoothing takes of their movement, and swaps."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mmkp.evaluation.functional.swap_rate import swapped_pairs

# Of the movement whose loss is told, and the fastest part of it.
_SECONDS, _FASTEST = 0.2, 0.9
# Median length of |second difference| of noise of the standard deviation 1: its
# coordinates have the variance 1 + 4 + 1, its length a Rayleigh distribution.
_OF_NOISE = float(np.sqrt(6) * np.sqrt(2 * np.log(2)))
# An exchange would shorten by half a step that is as long as this part of the object.
_LEAST_STEP = 0.1


def jitter(tracks: Iterable[np.ndarray]) -> float:
    """Median length of the second difference |p_{t+1} - 2 p_t + p_{t-1}|.

    Args:
        tracks: (T, K, 2) float each, NaN where there is no point.

    Returns:
        In pixels; NaN without three frames in a row.
    """
    lengths = [
        np.linalg.norm(np.diff(points, 2, axis=0), axis=-1).ravel()
        for points in tracks
        if len(points) > 2
    ]
    known = np.concatenate([*lengths, np.zeros(0)])
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else np.nan


def noise_of(points: np.ndarray) -> float:
    """Standard deviation of the noise of a coordinate that would have the jitter.

    Args:
        points: (T, K, 2) float.

    Returns:
        In pixels, at least a thousandth.
    """
    found = jitter([points]) / _OF_NOISE
    return max(found, 1e-3) if np.isfinite(found) else 1.0


def lag(
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    rate: float,
    seconds: float = _SECONDS,
) -> float:
    """Share of fast movements that is lost.

    Trajectories before and after smoothing are averaged over ``seconds``, which takes
    most of the noise; then displacements over as long are compared. Of the tenth of
    them that was fastest before, with d before and e after, it is
    1 - sum <d, e> / sum <d, d>. What is left of the noise counts as movement, so that
    the true loss is rather smaller.

    Args:
        before: (T, K, 2) float each, NaN where there is no point.
        after: as many of the same shapes.
        rate: frames a second.
        seconds: of the averages and displacements.

    Returns:
        In percent; NaN of too short films.
    """
    frames = max(1, round(seconds * rate))
    pairs = [
        (_displacements(one, frames), _displacements(other, frames))
        for one, other in zip(before, after, strict=True)
        if len(one) > 2 * frames
    ]
    if not pairs:
        return np.nan
    old, new = (np.concatenate(part) for part in zip(*pairs, strict=True))
    known = np.isfinite(old + new).all(-1)
    old, new = old[known], new[known]
    length = np.linalg.norm(old, axis=-1)
    if not len(length) or not length.max() > 0:
        return np.nan
    fast = length >= np.quantile(length, _FASTEST)
    kept = (old[fast] * new[fast]).sum() / (old[fast] ** 2).sum()
    return float(100 * (1 - kept))


def _displacements(points: np.ndarray, frames: int) -> np.ndarray:
    """(n, 2) of averages over so many frames, over so many frames."""
    mean = sliding_window_view(points, frames, axis=0).mean(-1)
    return (mean[frames:] - mean[:-frames]).reshape(-1, 2)


def delay(
    before: Sequence[np.ndarray], after: Sequence[np.ndarray], most: int = 10
) -> float:
    """By how many frames smoothed movement comes later: peak of cross-correlation.

    Args:
        before: (T, K, 2) float each.
        after: as many of the same shapes.
        most: frames that are tried.

    Returns:
        In frames, between two of them by a parabola; NaN of too short films.
    """
    total = np.zeros(2 * most + 1)
    for one, other in zip(before, after, strict=True):
        if len(one) > 4 * most:
            old, new = (np.nan_to_num(np.diff(p, axis=0)) for p in (one, other))
            inner = old[most:-most]
            total += [
                (inner * new[most + k : len(new) - most + k]).sum()
                for k in range(-most, most + 1)
            ]
    best = int(total.argmax())
    if not total.any():
        return np.nan
    if not 0 < best < 2 * most:
        return float(best - most)
    low, peak, high = total[best - 1 : best + 2]
    return float(best - most + 0.5 * (low - high) / (low - 2 * peak + high))


def side_exchanges(
    tracks: Iterable[np.ndarray],
    pairs: Sequence[Sequence[int]],
    least: float | None = None,
) -> tuple[int, int]:
    """Count steps from frame to frame in which left and right seem to be exchanged.

    Those in which :func:`mmkp.evaluation.functional.swap_rate.swapped_pairs` finds a
    pair exchanged against the frame before, and where exchanging them would halve a
    mean step of at least ``least``.

    Args:
        tracks: (T, K, 2) float each.
        pairs: P pairs of keypoints.
        least: in pixels, by default a tenth of the object: of the median over the
            frames of the longer side of its box.

    Returns:
        Number of exchanges, and of steps of a pair with both points.
    """
    number = steps = 0
    index = np.asarray(pairs, int).reshape(-1, 2)
    for points in tracks:
        if len(points) < 2 or not len(index):
            continue
        shortest = _LEAST_STEP * extent(points) if least is None else least
        now, past = points[1:], points[:-1]
        left, right = index.T

        def path(ours: np.ndarray, theirs: np.ndarray, now: np.ndarray = now,
                 past: np.ndarray = past) -> np.ndarray:  # fmt: skip
            return np.linalg.norm(now[:, ours] - past[:, theirs], axis=-1)

        straight = path(left, left) + path(right, right)
        crossed = path(left, right) + path(right, left)
        found = swapped_pairs(now, past, pairs) & (crossed < straight / 2)
        number += int((found & (straight / 2 > shortest)).sum())
        steps += int(np.isfinite(straight).sum())
    return number, steps


def extent(points: np.ndarray) -> float:
    """Median over frames of the longer side of an object's box, 0 without any.

    Args:
        points: (T, K, 2) float.
    """
    seen = np.isfinite(points).all(-1, keepdims=True)
    high = np.where(seen, points, -np.inf).max(1)
    low = np.where(seen, points, np.inf).min(1)
    sides = (high - low).max(-1)
    sides = sides[np.isfinite(sides)]
    return float(np.median(sides)) if len(sides) else 0.0
