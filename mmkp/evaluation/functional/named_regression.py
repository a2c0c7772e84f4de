# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From discovered keypoints to named ones, and how far off that is, from few labels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .label_shapes import directions_spread
from .linear_regression import AffineMap
from .ridge_regression import fit_ridge

# With more images than this, several are left out at once.
_MOST_FITS = 50


# Spread of directions, in radians, above which objects turn in the plane.
_TURNS_ABOVE = 0.5


@dataclass(frozen=True)
class NamedRegression:
    """A fit and what fits without each image say of it.

    Args:
        regressor: from (n, 2K) discovered to (n, 2L) named keypoints.
        left_out: (n, L, 2), predictions of each image by the fit without it, NaN of
            points that no other image has.
        mean_left_out: (n, L, 2), the mean pose of the other images.
        mirrored: whether mirror images were of use.
        turned: whether objects turn in the plane.
    """

    regressor: AffineMap
    left_out: np.ndarray
    mean_left_out: np.ndarray
    mirrored: bool = False
    turned: bool = False


def fit_named(
    discovered: np.ndarray,
    labels: np.ndarray,
    scales: np.ndarray,
    base: AffineMap | None = None,
) -> NamedRegression:
    """Fit each named point by ridge regression on the images in which it is labeled.

    The strength is cross-validated. Mirror images, whose labels are known where left
    and right are, double the number of images; they are left out together with the
    images, and used where that lowers the error of images that are left out. Where the
    labels of different images point in different directions, each image is also seen
    in quarter turns, by which the map becomes one that turns with the object.

    Args:
        discovered: (n, c, K, 2) float, shares of the network input, of n images and,
            with c = 2, their mirror images.
        labels: (n, c, L, 2) float, likewise, NaN where missing.
        scales: (n, 2) float, pixels of the network input's width and height.
        base: a map that is known already, of which only the error is fitted; None for
            the mean pose.

    Returns:
        The fit.

    Raises:
        ValueError: there is no image.
    """
    truth = labels[:, 0] * scales[:, None]
    turned = len(labels) > 2 and directions_spread(truth) > _TURNS_ABOVE

    def fit(copies: int) -> NamedRegression:
        pair = discovered[:, :copies], labels[:, :copies]
        if turned:
            pair = quarter_turns(pair[0], scales), quarter_turns(pair[1], scales)
        return _cross_validate(*pair, base, mirrored=copies > 1, turned=turned)

    fits = [fit(copies) for copies in sorted({1, labels.shape[1]})]
    if len(labels) < 2:
        return fits[-1]
    return min(
        fits,
        key=lambda one: np.nanmean(distances(one.left_out, labels[:, 0], scales)),
    )


def quarter_turns(shares: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Points as they are and in three quarter turns about the middle.

    Args:
        shares: (n, c, P, 2) float, shares of the network input.
        scales: (n, 2) float, pixels of its width and height.

    Returns:
        (n, 4c, P, 2).
    """
    unit = scales[:, None, None]
    points, turns = (shares - 0.5) * unit, []
    for _ in range(4):
        turns.append(points / unit + 0.5)
        points = np.stack([-points[..., 1], points[..., 0]], axis=-1)
    return np.concatenate(turns, axis=1)


def distances(found: np.ndarray, labels: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Distances of points in pixels, NaN where one is missing.

    Args:
        found: (n, L, 2), shares of the network input.
        labels: (n, L, 2).
        scales: (n, 2), pixels of its width and height.

    Returns:
        (n, L).
    """
    return np.linalg.norm((found - labels) * scales[:, None], axis=2)


def _cross_validate(
    discovered: np.ndarray, labels: np.ndarray, base: AffineMap | None, **known: bool
) -> NamedRegression:
    """Fit n images in c copies, (n, c, K, 2) and (n, c, L, 2), and without each."""
    number, points = len(labels), labels.shape[2]
    left_out = np.full((number, points, 2), np.nan)
    mean_left_out = left_out.copy()
    folds = min(number, _MOST_FITS)
    for fold in range(folds if number > 1 else 0):
        out = np.arange(number) % folds == fold
        fitted = _fit(discovered[~out], labels[~out], base)
        rows = fitted(discovered[out, 0].reshape(out.sum(), -1))
        left_out[out] = rows.reshape(-1, points, 2)
        mean_left_out[out] = _mean(labels[~out, 0])
    regressor = _fit(discovered, labels, base)
    return NamedRegression(regressor, left_out, mean_left_out, **known)


def _fit(
    discovered: np.ndarray, labels: np.ndarray, base: AffineMap | None
) -> AffineMap:
    """Fit the columns of points that are labeled in the same images together."""
    number, copies, points = labels.shape[:3]
    inputs = discovered.reshape(number, copies, -1)
    weights = np.zeros((inputs.shape[2], points, 2))
    offset = np.full((points, 2), np.nan if base is None else 0.0)
    if base is not None:
        labels = labels - base(inputs).reshape(labels.shape)
    for chosen, rows in _patterns(np.isfinite(labels).all((1, 3))):
        known = labels[rows][:, :, chosen].reshape(rows.sum() * copies, -1)
        fitted = fit_ridge(inputs[rows].reshape(len(known), -1), known, copies)
        weights[:, chosen] = fitted.weights.reshape(-1, len(chosen), 2)
        offset[chosen] = fitted.offset.reshape(-1, 2)
    fitted = AffineMap(weights.reshape(len(weights), -1), offset.ravel())
    if base is None:
        return fitted
    return AffineMap(base.weights + fitted.weights, base.offset + fitted.offset)


def _patterns(known: np.ndarray) -> Iterator[tuple[list[int], np.ndarray]]:
    """Points that are labeled in the same images, and which these are."""
    groups: dict[bytes, list[int]] = {}
    for point in range(known.shape[1]):
        groups.setdefault(known[:, point].tobytes(), []).append(point)
    for points in groups.values():
        rows = known[:, points[0]]
        if rows.any():
            yield points, rows


def _mean(labels: np.ndarray) -> np.ndarray:
    """Mean of labels (n, L, 2), NaN without a warning where there is none."""
    known = np.isfinite(labels).all(2, keepdims=True)
    total = np.where(known, labels, 0.0).sum(0)
    count = known.sum(0)
    return np.where(count, total / np.maximum(count, 1), np.nan)


def unusual_errors(errors: np.ndarray, threshold: float = 5.0) -> np.ndarray:
    """Which errors stand out: more than so many robust deviations above the median.

    Args:
        errors: (n,) float, NaN where unknown.
        threshold: in deviations, of which the median absolute one is 0.6745.

    Returns:
        (n,) bool.
    """
    known = errors[np.isfinite(errors)]
    if len(known) < 3:
        return np.zeros(len(errors), bool)
    median = np.median(known)
    deviation = np.median(np.abs(known - median)) / 0.6745
    return np.nan_to_num(errors, nan=-np.inf) > median + threshold * max(
        deviation, 0.1 * median
    )
