# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Ridge regression whose strength the fitted rows choose among themselves."""

import numpy as np

from .linear_regression import AffineMap, checked_tables

#: Over the square of the design's largest singular value; the first: the mean alone.
STRENGTHS = (float('inf'), *np.logspace(2, -8, 21).tolist())


def fit_ridge(inputs: np.ndarray, targets: np.ndarray) -> AffineMap:
    """Fit targets from inputs by ridge regression, cross-validated leaving one out.

    The constant term is not penalised. Of :data:`STRENGTHS` the one with the least
    squared error of rows that were left out, over all targets, is taken; the
    strongest predicts the mean of the rows, so a fit from few rows, where plain least
    squares explodes, falls back to the mean pose. Inputs are not standardised: they
    are coordinates of one unit.

    Args:
        inputs: (n, P) float, any unit, n at least 1.
        targets: (n, Q) float, any unit.

    Returns:
        The fitted map.

    Raises:
        ValueError: If there is no row, an array has another shape, or a value is not
            finite.
    """
    inputs, targets = checked_tables(inputs, targets)
    if len(inputs) == 0:
        raise ValueError('there is no row to fit: give at least one')
    input_mean, target_mean = inputs.mean(axis=0), targets.mean(axis=0)
    left, singular, right = np.linalg.svd(inputs - input_mean, full_matrices=False)
    known = singular > singular.max(initial=0.0) * 1e-12
    left, singular, right = left[:, known], singular[known], right[known]
    components = left.T @ (targets - target_mean)
    if not singular.size or len(inputs) < 3:
        return AffineMap(np.zeros((inputs.shape[1], targets.shape[1])), target_mean)
    strength = min(
        (scale * singular[0] ** 2 for scale in STRENGTHS),
        key=lambda s: np.square(
            leave_one_out_residuals(left, singular, targets - target_mean, s)
        ).sum(),
    )
    inverse = singular / (singular**2 + strength)
    weights = right.T @ (inverse[:, None] * components)
    return AffineMap(weights, target_mean - input_mean @ weights)


def leave_one_out_residuals(
    left: np.ndarray, singular: np.ndarray, targets: np.ndarray, strength: float
) -> np.ndarray:
    """Errors at rows that a ridge regression was fitted without, in closed form.

    With H = U diag(s² / (s² + strength)) Uᵀ + 1/n, the matrix that maps targets to
    fitted values, the error at row i of the fit without it is
    ``(y - H y)_i / (1 - H_ii)`` (Golub, Heath, Wahba, Technometrics 1979, section 2).

    Args:
        left: (n, r) float64, left singular vectors U of the centred inputs.
        singular: (r,) float64, their singular values s, positive.
        targets: (n, Q) float64, centred.
        strength: Penalty on the squares of the weights; infinity allows.

    Returns:
        (n, Q) float64. Where a row alone determines its own value, infinite.
    """
    shrinkage = singular**2 / (singular**2 + strength)
    leverage = left**2 @ shrinkage + 1 / len(left)
    residuals = targets - left @ (shrinkage[:, None] * (left.T @ targets))
    free = 1 - leverage
    determined = free < 1e-9
    residuals = residuals / np.where(determined, 1.0, free)[:, None]
    return np.where(determined[:, None], np.inf, residuals)
