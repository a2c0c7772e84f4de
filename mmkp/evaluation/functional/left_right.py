# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Fits that do not know left from right (simplified Human3.6M).

A detector without labels cannot tell a person seen from the front from the
mirrored pose seen from behind, so the sides of an annotation may be exchanged
wherever that lowers the error. This follows the evaluation published with
AutoLink (He et al., NeurIPS 2022).
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .linear_regression import AffineMap

MAX_ITERATIONS = 100

# Left and right of the 32-joint Human3.6M skeleton, indices from 0.
HUMAN36M_PAIRS = (
    ((1, 6), (2, 7), (3, 8), (4, 9), (5, 10), (17, 25))
    + ((18, 26), (19, 27), (20, 28), (21, 29), (22, 30), (23, 31))
)  # fmt: skip

FitFunction = Callable[[np.ndarray, np.ndarray, np.ndarray], AffineMap]


@dataclass(frozen=True)
class SideAgnosticFit:
    """What a left/right-agnostic fit arrived at.

    Args:
        regressor: Map from flattened discovered to flattened annotated points.
        targets: (n, G, 2) float64 annotations with the sides that were chosen.
        visible: (n, G, 2) bool, exchanged alike.
        kept: (n,) bool, False for the images dropped as outliers.
        swaps_per_iteration: Images whose sides wanted to change, in each
            iteration; those of the last one were left as they were.
    """

    regressor: AffineMap
    targets: np.ndarray
    visible: np.ndarray
    kept: np.ndarray
    swaps_per_iteration: tuple[int, ...]


def swap_permutation(
    pairs: Sequence[tuple[int, int]], num_points: int
) -> tuple[int, ...]:
    """Return the index table that exchanges the points of each pair.

    Args:
        pairs: Index pairs (left, right), starting at 0.
        num_points: Number G of annotated points.

    Returns:
        G indices: entry g is the point that g receives.
    """
    table = list(range(num_points))
    for first, second in pairs:
        table[first], table[second] = second, first
    return tuple(table)


def human36m_permutation(legacy_pairs: bool = False) -> tuple[int, ...]:
    """Return the side exchange of the 32-joint Human3.6M skeleton.

    Args:
        legacy_pairs: Repeat the slip of the released tables, which pair 21 with
            28 where 29 is meant: joint 28 then receives 21, joints 20 and 21
            both receive 28 and joint 29 keeps its place, so that exchanging
            twice does not restore the pose. Published figures were made so.

    Returns:
        32 indices.
    """
    table = list(swap_permutation(HUMAN36M_PAIRS, 32))
    if legacy_pairs:
        table[21], table[28], table[29] = 28, 21, 29
    return tuple(table)


def image_errors(
    predicted: np.ndarray, target: np.ndarray, visible: np.ndarray
) -> np.ndarray:
    """Return the mean distance over the visible points of each image.

    Args:
        predicted: (n, G, 2) float64.
        target: (n, G, 2) float64, same frame.
        visible: (n, G, 2) bool.

    Returns:
        (n,) float64, 0 where nothing is visible.
    """
    seen = visible.all(axis=2)
    distances = np.linalg.norm(predicted - target, axis=2)
    return np.where(seen, distances, 0.0).sum(1) / np.maximum(seen.sum(1), 1)


def settle_sides(
    predicted: np.ndarray,
    target: np.ndarray,
    visible: np.ndarray,
    permutation: Sequence[int],
    max_swaps: int = 10,
) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Exchange the sides of annotations wherever that lowers the error.

    Args:
        predicted: (n, G, 2) float64.
        target: (n, G, 2) float64, same frame.
        visible: (n, G, 2) bool.
        permutation: G indices, see :func:`swap_permutation`.
        max_swaps: Stop after a pass with at most this many exchanges. One pass
            suffices unless ``permutation`` is not its own inverse.

    Returns:
        Targets and visibility as settled, and the exchanges of each pass.
    """
    target, visible = target.copy(), visible.copy()
    table = np.asarray(permutation)
    counts: list[int] = []
    while not counts or counts[-1] > max_swaps:
        wanted = _wants_swap(predicted, target, visible, table)
        counts.append(int(wanted.sum()))
        _swap(target, visible, wanted, table)
    return target, visible, tuple(counts)


def swap_predictions(
    predicted: np.ndarray,
    target: np.ndarray,
    visible: np.ndarray,
    permutation: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Exchange the sides of predictions wherever that lowers the error.

    Args:
        predicted: (n, G, 2) float64.
        target: (n, G, 2) float64, same frame.
        visible: (n, G, 2) bool, of the targets.
        permutation: G indices, see :func:`swap_permutation`.

    Returns:
        Predictions (n, G, 2) and the mask (n,) of the exchanged ones.
    """
    exchanged = predicted[:, np.asarray(permutation)]
    swapped = image_errors(exchanged, target, visible) < image_errors(
        predicted, target, visible
    )
    return np.where(swapped[:, None, None], exchanged, predicted), swapped


def fit_side_agnostic(
    inputs: np.ndarray,
    targets: np.ndarray,
    visible: np.ndarray,
    fit: FitFunction,
    permutation: Sequence[int],
    max_swaps: int = 10,
    reject_sigma: float | None = 3.0,
) -> SideAgnosticFit:
    """Alternate between fitting and choosing sides, then drop outliers.

    Args:
        inputs: (n, P) float64, flattened discovered points.
        targets: (n, G, 2) float64.
        visible: (n, G, 2) bool.
        fit: Fits targets (n, G, 2) from inputs under a visibility mask.
        permutation: G indices, see :func:`swap_permutation`.
        max_swaps: Stop when at most this many images want their sides
            exchanged; these stay as they are.
        reject_sigma: Refit without the images whose residual exceeds the mean
            by more than this many standard deviations (unbiased); None keeps
            all images.

    Returns:
        The fit, the settled annotations and the counts on the way.
    """
    targets, visible = targets.copy(), visible.copy()
    table = np.asarray(permutation)
    counts: list[int] = []
    while True:
        regressor = fit(inputs, targets, visible)
        predicted = regressor(inputs).reshape(targets.shape)
        wanted = _wants_swap(predicted, targets, visible, table)
        counts.append(int(wanted.sum()))
        if counts[-1] <= max_swaps:
            break
        if len(counts) == MAX_ITERATIONS:
            warnings.warn(
                f'choosing left and right has not settled after {MAX_ITERATIONS} '
                f'rounds ({counts[-1]} images still change sides); going on.',
                stacklevel=2,
            )
            break
        _swap(targets, visible, wanted, table)
    kept = np.ones(len(inputs), dtype=bool)
    if reject_sigma is not None and len(inputs) > 2:
        residuals = image_errors(predicted, targets, visible)
        limit = residuals.mean() + reject_sigma * residuals.std(ddof=1)
        kept = residuals <= limit
        regressor = fit(inputs[kept], targets[kept], visible[kept])
    return SideAgnosticFit(regressor, targets, visible, kept, tuple(counts))


def _wants_swap(
    predicted: np.ndarray, target: np.ndarray, visible: np.ndarray, table: np.ndarray
) -> np.ndarray:
    swapped = image_errors(predicted, target[:, table], visible[:, table])
    return swapped < image_errors(predicted, target, visible)


def _swap(
    target: np.ndarray, visible: np.ndarray, rows: np.ndarray, table: np.ndarray
) -> None:
    target[rows] = target[rows][:, table]
    visible[rows] = visible[rows][:, table]
