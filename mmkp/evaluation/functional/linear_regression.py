# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Linear maps between point sets: minimum-norm least squares in float64."""

from dataclasses import dataclass

import numpy as np

from mmkp.ops.arguments import is_real, real_array

STANDARDIZE = 'standardize'
# Squares of larger values may not be finite.
MAX_VALUE = 1e100


@dataclass(frozen=True)
class AffineMap:
    """A fitted map ``y = x @ weights + offset``.

    Every choice of centring and bias ends up in this one form.

    Args:
        weights: (P, Q) float64.
        offset: (Q,) float64.
    """

    weights: np.ndarray
    offset: np.ndarray

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Map ``inputs`` (n, P) float64 to outputs (n, Q) float64."""
        return inputs @ self.weights + self.offset


def check_center(center: float | str) -> None:
    """Refuse a ``center`` that is neither a number nor ``'standardize'``.

    Raises:
        ValueError: If ``center`` is another string or not finite.
    """
    if center == STANDARDIZE:
        return
    if not is_real(center) or not abs(center) < MAX_VALUE:
        raise ValueError(
            f'center={center!r:.80} is not understood: give a constant that is '
            "subtracted from inputs and targets (0, 0.5, ...) or 'standardize'."
        )


def fit_affine(
    inputs: np.ndarray,
    targets: np.ndarray,
    center: float | str = 0.0,
    bias: bool = False,
) -> AffineMap:
    """Fit targets from inputs by minimum-norm least squares.

    Published protocols differ in two switches only, and they are different
    models: a fit without bias depends on where the origin lies.

    Args:
        inputs: (n, P) float, any unit.
        targets: (n, Q) float, any unit.
        center: Constant subtracted from inputs and targets before the fit and
            added back afterwards, or ``'standardize'``: subtract the mean and
            divide by the population standard deviation of the n rows.
        bias: Whether a column of ones is appended to the inputs. With fewer
            rows than unknowns the norm that is minimised includes its row.

    Returns:
        The fitted map from raw inputs to raw targets.

    Raises:
        ValueError: If ``center`` is not understood, an array has another shape, or a
            value is not finite or so large that its square is not.
    """
    check_center(center)
    inputs, targets = checked_tables(inputs, targets)
    input_shift, input_scale = _origin(inputs, center)
    target_shift, target_scale = _origin(targets, center)
    if len(inputs) == 0:
        # Nothing to learn from: every target sits at the origin of the fit.
        weights = np.zeros((inputs.shape[1], targets.shape[1]))
        return AffineMap(weights, target_shift)
    design = (inputs - input_shift) / input_scale
    if bias:
        design = np.concatenate([design, np.ones((len(design), 1))], axis=1)
    solution = np.linalg.lstsq(
        design, (targets - target_shift) / target_scale, rcond=None
    )[0]
    num_inputs = inputs.shape[1]
    weights = solution[:num_inputs] * target_scale / input_scale[:, None]
    offset = target_shift - input_shift @ weights
    if bias:
        offset = offset + solution[num_inputs] * target_scale
    return AffineMap(weights, offset)


def checked_tables(
    inputs: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (n, P) and targets (n, Q) as float64, if they can be fitted.

    Args:
        inputs: (n, P) numbers.
        targets: (n, Q) numbers.

    Returns:
        Both.

    Raises:
        ValueError: If an array has another shape, or a value is not finite or so large
            that its square is not.
    """
    inputs, targets = _table(inputs, 'inputs'), _table(targets, 'targets')
    if len(inputs) != len(targets):
        raise ValueError(
            f'there are {len(inputs)} rows of inputs but {len(targets)} of targets: '
            'give one row of each an image'
        )
    return inputs, targets


def _table(values: np.ndarray, name: str) -> np.ndarray:
    """Rows that can be fitted: LAPACK never returns from some that are infinite."""
    table = real_array(name, values).astype(np.float64)
    if table.ndim != 2:
        raise ValueError(f'{name} must have shape (rows, columns), got {table.shape}')
    # NaN is not smaller than anything.
    wrong = ~(np.abs(table) < MAX_VALUE)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f'{name} hold {table[row, column]} in row {row}: nothing can be fitted to '
            'values that are not finite or beyond 1e100; leave such rows out'
        )
    return table


def _origin(values: np.ndarray, center: float | str) -> tuple[np.ndarray, np.ndarray]:
    """Return the shift and the scale, each (columns,), that ``center`` asks for."""
    columns = values.shape[1]
    if center != STANDARDIZE:
        return np.full(columns, float(center)), np.ones(columns)
    if len(values) == 0:
        return np.zeros(columns), np.ones(columns)
    scale = values.std(axis=0)
    # A constant column carries nothing: leave its scale alone.
    scale[scale == 0] = 1.0
    return values.mean(axis=0), scale
