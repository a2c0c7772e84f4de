# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Labels whose left and right are exchanged, told by the shape of all labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Degrees of freedom of the distribution of each point about the mean shape: heavy
# tails, so that one wrong point neither moves the shape nor makes others look wrong.
_FREEDOM = 3.0
_STEPS = 10


@dataclass(frozen=True)
class MeanShape:
    """A shape and how far its points stray, after turning, scaling and shifting.

    Args:
        points: (L, 2), NaN where a point is never labeled.
        spread: (L,), per axis, positive, in the unit of the points.
    """

    points: np.ndarray
    spread: np.ndarray

    def surprise(self, labels: np.ndarray) -> np.ndarray:
        """How unlikely labels are, whichever way the object is turned.

        Args:
            labels: (n, L, 2), NaN where missing.

        Returns:
            (n,) negative log-likelihood, up to a constant, under Student's
            t-distribution of each point.
        """
        aligned = align(labels, self)
        far = _squared_distance(aligned, self) / _FREEDOM
        return (_FREEDOM / 2 + 1) * np.nansum(np.log1p(far), axis=1)


def mean_shape(labels: np.ndarray) -> MeanShape:
    """Fit a mean shape by generalized Procrustes analysis, with medians for means.

    Gower, Psychometrika 1975, with similarities that do not reflect.

    Args:
        labels: (n, L, 2) float, NaN where missing.

    Returns:
        The shape, of size 1.
    """
    known = np.isfinite(labels).all(2)
    first = labels[known.sum(1).argmax()]
    centered = first - np.nanmean(first, axis=0)
    size = np.sqrt(np.nanmean(np.square(centered))) or 1.0
    shape = MeanShape(centered / size, np.ones(labels.shape[1]))
    for _ in range(_STEPS):
        aligned = align(labels, shape)
        with np.errstate(all='ignore'):
            points = _nanmedian(aligned)
            points = np.where(np.isfinite(points), points, shape.points)
            points = points - np.nanmean(points, axis=0)
            points = points / (np.sqrt(np.nanmean(np.square(points))) or 1.0)
            far = np.square(aligned - points).sum(2)
            # The median of squared distances about a point in the plane is 1.39 s^2.
            spread = np.sqrt(_nanmedian(far[..., None])[:, 0] / 1.39)
        spread = np.where(np.isfinite(spread), spread, 1.0).clip(0.02)
        shape = MeanShape(points, spread)
    return shape


def align(labels: np.ndarray, shape: MeanShape) -> np.ndarray:
    """Turn, scale and shift each object onto a mean shape, robustly.

    Args:
        labels: (n, L, 2), NaN where missing.
        shape: the mean shape.

    Returns:
        (n, L, 2), in the unit of the shape.
    """
    known = np.isfinite(labels).all(2) & np.isfinite(shape.points).all(1)
    found = np.where(known, labels[..., 0] + 1j * labels[..., 1], 0)
    target = np.where(known, shape.points[:, 0] + 1j * shape.points[:, 1], 0)
    weights = known / shape.spread**2
    aligned = found
    for _ in range(4):
        total = weights.sum(1, keepdims=True).clip(1e-12)
        middle = (weights * found).sum(1, keepdims=True) / total
        goal = (weights * target).sum(1, keepdims=True) / total
        centered = found - middle
        power = (weights * np.abs(centered) ** 2).sum(1, keepdims=True).clip(1e-12)
        product = weights * centered.conj() * (target - goal)
        aligned = product.sum(1, keepdims=True) / power * centered + goal
        far = np.abs(aligned - target) ** 2 / shape.spread**2
        weights = known / shape.spread**2 / (1 + far / _FREEDOM)
    pairs = np.stack([aligned.real, aligned.imag], axis=-1)
    return np.where(np.isfinite(labels), pairs, np.nan)


def directions_spread(labels: np.ndarray) -> float:
    """How differently objects are turned: circular standard deviation, radians.

    Args:
        labels: (n, L, 2) float, pixels, NaN where missing.

    Returns:
        ``sqrt(-2 ln R)`` of the mean resultant length R (Mardia, Jupp, Directional
        Statistics, section 2.3), 0 of objects with one point.
    """
    if labels.shape[1] < 2:
        return 0.0
    aligned = align(labels, mean_shape(labels))
    before, after = (_centered(points) for points in (labels, aligned))
    product = np.nansum(before.conj() * after, axis=1)
    length = np.abs(product)
    units = product[length > 0] / length[length > 0]
    resultant = float(np.abs(units.mean())) if len(units) else 1.0
    return float(np.sqrt(-2 * np.log(min(max(resultant, 1e-12), 1.0))))


def exchanged_sides(
    labels: np.ndarray, pairs: Sequence[tuple[int, int]], threshold: float = 4.0
) -> tuple[list[list[int]], np.ndarray]:
    """Find objects whose labels fit far better with left and right exchanged.

    For each object all pairs, and then the single pairs that gain most, are exchanged
    as long as the likelihood of its shape grows. What was found is exchanged, the mean
    shape fitted again, and all is looked at once more.

    Args:
        labels: (n, L, 2) float, NaN where missing.
        pairs: left and right, counted from 0.
        threshold: least gain in log-likelihood that counts.

    Returns:
        For each object the numbers of the pairs that are exchanged, and the gain in
        log-likelihood by exchanging them, (n,), 0 where nothing is gained.
    """
    found: list[list[int]] = [[] for _ in labels]
    gains: np.ndarray = np.zeros(len(labels))
    settled = labels
    for _ in range(3):
        shape = mean_shape(settled)
        results = [_best_exchange(one, pairs, shape) for one in labels]
        gains = np.array([gain for _, gain in results])
        found = [some if gain > threshold else [] for some, gain in results]
        settled = np.stack(
            [
                exchange(one, [pairs[i] for i in some])
                for one, some in zip(labels, found, strict=True)
            ]
        )
    return found, gains


def exchange(labels: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Exchange the points of pairs.

    Args:
        labels: (..., L, 2).
        pairs: counted from 0.

    Returns:
        A changed copy.
    """
    changed = labels.copy()
    for left, right in pairs:
        changed[..., [left, right], :] = labels[..., [right, left], :]
    return changed


def _best_exchange(
    labels: np.ndarray, pairs: Sequence[tuple[int, int]], shape: MeanShape
) -> tuple[list[int], float]:
    """Pairs to exchange in one object, and what that gains."""

    def cost(some: frozenset[int]) -> float:
        exchanged = exchange(labels, [pairs[i] for i in some])
        return float(shape.surprise(exchanged[None])[0])

    nothing = frozenset[int]()
    costs = {some: cost(some) for some in (nothing, frozenset(range(len(pairs))))}
    best = min(costs, key=lambda some: costs[some])
    while True:
        for index in range(len(pairs)):
            costs.setdefault(best ^ {index}, cost(best ^ {index}))
        better = min(costs, key=lambda some: costs[some])
        if better == best:
            return sorted(best), costs[nothing] - costs[best]
        best = better


def _centered(points: np.ndarray) -> np.ndarray:
    """Points (n, L, 2) about the middle of each object, complex."""
    values = points[..., 0] + 1j * points[..., 1]
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(1) / known.sum(1).clip(1)
    return values - total[:, None]


def _squared_distance(aligned: np.ndarray, shape: MeanShape) -> np.ndarray:
    """Squared distances to a mean shape over the squared spread, (n, L)."""
    return np.square(aligned - shape.points).sum(2) / shape.spread**2


def _nanmedian(values: np.ndarray) -> np.ndarray:
    """Median over objects, NaN without a warning where there is none."""
    known = np.isfinite(values).any(0)
    filled = np.where(known, values, 0.0)
    return np.where(known, np.nanmedian(filled, axis=0), np.nan)
