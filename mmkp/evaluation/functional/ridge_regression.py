# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Ridge regression whose strength the fitted rows choose among themselves."""

import numpy as np

from .linear_regression import AffineMap, checked_tables

#: Over the square of the design's largest singular value; the first: the mean alone.
STRENGTHS = (float('inf'), *np.logspace(2, -8, 21).tolist())


def fit_ridge(inputs: np.ndarray, targets: np.ndarray, copies: int = 1) -> AffineMap:
    """Fit targets from inputs by ridge regression, cross-validated leaving one out.

    The constant term is not penalised. Of :data:`STRENGTHS` the one with the least
    squared error of rows that were left out, over all targets, is taken; the
    strongest predicts the mean of the rows, so a fit from few rows, where plain least
    squares explodes, falls back to the mean pose. Inputs are not standardised: they
    are coordinates of one unit.

    Args:
        inputs: (n, P) float, any unit, n at least 1.
        targets: (n, Q) float, any unit.
        copies: So many consecutive rows are one image, such as it and its mirror
            image, and are left out together.

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
    if not singular.size or len(inputs) < 3 * copies:
        return AffineMap(np.zeros((inputs.shape[1], targets.shape[1])), target_mean)
    strength = min(
        (scale * singular[0] ** 2 for scale in STRENGTHS),
        key=lambda s: np.square(
            leave_one_out_residuals(left, singular, targets - target_mean, s, copies)
        ).sum(),
    )
    inverse = singular / (singular**2 + strength)
    weights = right.T @ (inverse[:, None] * components)
    return AffineMap(weights, target_mean - input_mean @ weights)


def leave_one_out_residuals(
    left: np.ndarray,
    singular: np.ndarray,
    targets: np.ndarray,
    strength: float,
    copies: int = 1,
) -> np.ndarray:
    """Errors at rows that a ridge regression was fitted without, in closed form.

    With H = U diag(s² / (s² + strength)) Uᵀ + 1/n, the matrix that maps targets to
    fitted values, the error at the rows i of an image of the fit without them is
    ``(I - H_ii)⁻¹ (y - H y)_i`` (Golub, Heath, Wahba, Technometrics 1979, section 2).

    Args:
        left: (n, r) float64, left singular vectors U of the centred inputs.
        singular: (r,) float64, their singular values s, positive.
        targets: (n, Q) float64, centred.
        strength: Penalty on the squares of the weights; infinity allows.
        copies: Number of consecutive rows that are one image.

    Returns:
        (n, Q) float64. Where rows alone determine their own values, infinite.
    """
    shrinkage = singular**2 / (singular**2 + strength)
    residuals = targets - left @ (shrinkage[:, None] * (left.T @ targets))
    rows = left.reshape(-1, copies, left.shape[1])
    leverage = np.einsum('gar,r,gbr->gab', rows, shrinkage, rows) + 1 / len(left)
    free = np.eye(copies) - leverage
    determined = np.linalg.eigvalsh(free)[:, 0] < 1e-9
    free[determined] = np.eye(copies)
    solved = np.linalg.solve(free, residuals.reshape(len(rows), copies, -1))
    solved[determined] = np.inf
    return solved.reshape(targets.shape)
