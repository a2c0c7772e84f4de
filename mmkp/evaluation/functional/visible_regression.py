# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""One regressor per target, fitted on the images where the target is known."""

import numpy as np

from .linear_regression import AffineMap, fit_affine
from .ridge_regression import fit_ridge


def fit_visible_affine(
    inputs: np.ndarray,
    targets: np.ndarray,
    visible: np.ndarray,
    center: float | str = 0.0,
    bias: bool = False,
    ridge: bool = False,
) -> AffineMap:
    """Fit each target column on the rows in which it is visible.

    Columns that share their visibility pattern share one least-squares
    problem, so that fully annotated data cost a single fit. A column that is
    never visible predicts the origin of the fit (``center``; 0 when
    standardising), as the official evaluation of AutoLink does on CUB.

    Args:
        inputs: (n, P) float.
        targets: (n, Q) float; invisible entries are ignored, NaN included.
        visible: (n, Q) bool.
        center: See :func:`fit_affine`.
        bias: See :func:`fit_affine`.
        ridge: Whether :func:`fit_ridge` takes the place of least squares; it has a
            constant term of its own and needs neither ``center`` nor ``bias``.

    Returns:
        One map to all Q targets.
    """
    weights = np.zeros((inputs.shape[1], targets.shape[1]))
    offset = np.zeros(targets.shape[1])
    groups: dict[bytes, list[int]] = {}
    for column in range(visible.shape[1]):
        groups.setdefault(visible[:, column].tobytes(), []).append(column)
    for columns in groups.values():
        rows = visible[:, columns[0]]
        known, wanted = inputs[rows], targets[rows][:, columns]
        if ridge and len(known):
            fitted = fit_ridge(known, wanted)
        else:
            fitted = fit_affine(known, wanted, center, bias)
        weights[:, columns] = fitted.weights
        offset[columns] = fitted.offset
    return AffineMap(weights, offset)
