# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Distances between point sets, and the ways papers average them."""

import numpy as np

REDUCTIONS = (
    'pooled',
    'root_mean_square',
    'per_image',
    'sum_of_point_means',
    'mean_of_image_sums',
    'pck',
)


def point_errors(
    predicted: np.ndarray,
    target: np.ndarray,
    lengths: np.ndarray,
    crop_size: np.ndarray,
    distance: str = 'l2',
) -> np.ndarray:
    """Return the normalised error of every point.

    Args:
        predicted: (n, G, 2) float64, fractions of the crop.
        target: (n, G, 2) float64, fractions of the crop.
        lengths: (n,) float64, pixels that stand for 1.
        crop_size: (n, 2) float64, pixels.
        distance: ``'l2'``, or ``'l1'`` for the absolute error of each
            coordinate.

    Returns:
        (n, G) float64 for ``'l2'``, (n, G, 2) float64 for ``'l1'``.

    Raises:
        ValueError: If ``distance`` is unknown.
    """
    offset = (predicted - target) * crop_size[:, None, :] / lengths[:, None, None]
    if distance == 'l2':
        return np.linalg.norm(offset, axis=2)
    if distance == 'l1':
        return np.abs(offset)
    raise ValueError(f"distance={distance!r} is unknown: use 'l2' or 'l1'.")


def reduce_errors(
    errors: np.ndarray,
    visible: np.ndarray,
    reduction: str = 'pooled',
    threshold: float | None = None,
) -> float:
    """Average errors over the visible points.

    Args:
        errors: (n, ...) float64.
        visible: (n, ...) bool, same shape.
        reduction: ``'pooled'``: sum over all visible points divided by their
            number (AutoLink); ``'root_mean_square'``: the same of their squares,
            and the root of that; ``'per_image'``: mean in each image, then over
            images (StableKeypoints on CUB); ``'sum_of_point_means'``: mean over
            images for each column, summed (AutoLink on Taichi);
            ``'mean_of_image_sums'``: sum in each image, mean over images
            (StableKeypoints on Taichi); ``'pck'``: share of visible points
            with an error below ``threshold``.
        threshold: In the unit of ``errors``; for ``'pck'`` only.

    Returns:
        The figure; NaN when nothing is visible.

    Raises:
        ValueError: If ``reduction`` is unknown or lacks its threshold.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f'reduction={reduction!r} is unknown: use {REDUCTIONS}.')
    if not visible.any():
        return float('nan')
    columns = visible.reshape(len(visible), -1)
    values = np.where(columns, errors.reshape(columns.shape), 0.0)
    if reduction == 'pooled':
        return float(values.sum() / columns.sum())
    if reduction == 'root_mean_square':
        return float(np.sqrt(np.square(values).sum() / columns.sum()))
    if reduction == 'per_image':
        seen = columns.any(axis=1)
        return float((values[seen].sum(axis=1) / columns[seen].sum(axis=1)).mean())
    if reduction == 'sum_of_point_means':
        seen = columns.any(axis=0)
        sums = values[:, seen].sum(axis=0)
        return float((sums / columns[:, seen].sum(axis=0)).sum())
    if reduction == 'mean_of_image_sums':
        return float(values.sum(axis=1).mean())
    if threshold is None or not threshold > 0:
        raise ValueError(f"reduction='pck' needs a positive threshold, got {threshold}")
    return float((values[columns] < threshold).mean())


def errors_per_point(errors: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Return the mean error of each point, NaN where it is never visible.

    Args:
        errors: (n, G) or (n, G, 2) float64.
        visible: bool, same shape.

    Returns:
        (G,) float64.
    """
    axes = (0,) if errors.ndim == 2 else (0, 2)
    counts = visible.sum(axis=axes)
    sums = np.where(visible, errors, 0.0).sum(axis=axes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
