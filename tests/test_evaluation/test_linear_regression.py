import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.evaluation.functional import fit_affine, fit_visible_affine

CENTERS = [0.0, 0.5, 'standardize']


def linear_problem(seed, rows=60, inputs=6, outputs=4):
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(rows, inputs))
    weights = generator.normal(size=(inputs, outputs))
    offset = generator.normal(size=outputs)
    return points, weights, offset


@pytest.mark.parametrize('center', CENTERS)
def test_recovers_an_affine_map_exactly(center):
    points, weights, offset = linear_problem(0)
    fitted = fit_affine(points, points @ weights + offset, center, bias=True)
    np.testing.assert_allclose(fitted.weights, weights, atol=1e-12)
    np.testing.assert_allclose(fitted.offset, offset, atol=1e-12)
    np.testing.assert_allclose(fitted(points), points @ weights + offset, atol=1e-11)


def test_without_bias_the_origin_decides():
    points, weights, offset = linear_problem(1)
    targets = points @ weights + offset
    linear = fit_affine(points, points @ weights, 0.0, bias=False)
    np.testing.assert_allclose(linear.weights, weights, atol=1e-12)
    np.testing.assert_allclose(linear.offset, 0, atol=1e-12)
    # A map that fixes (.5, ..., .5) is linear once .5 is subtracted.
    centered = fit_affine(points, (points - 0.5) @ weights + 0.5, 0.5, bias=False)
    np.testing.assert_allclose(centered(points), (points - 0.5) @ weights + 0.5)
    # The offset cannot be represented, and the fit must not pretend otherwise.
    residual = fit_affine(points, targets, 0.0, bias=False)(points) - targets
    assert np.abs(residual).mean() > 0.1


def test_standardising_equals_a_bias():
    points, weights, offset = linear_problem(2)
    noise = np.random.default_rng(3).normal(size=(60, 4))
    targets = points @ weights + offset + noise
    standardized = fit_affine(points, targets, 'standardize', bias=False)
    biased = fit_affine(points, targets, 0.0, bias=True)
    np.testing.assert_allclose(standardized.weights, biased.weights, atol=1e-12)
    np.testing.assert_allclose(standardized.offset, biased.offset, atol=1e-12)


def test_minimum_norm_when_underdetermined():
    points, weights, _ = linear_problem(4, rows=3)
    fitted = fit_affine(points, points @ weights, 0.0, bias=False)
    np.testing.assert_allclose(fitted(points), points @ weights, atol=1e-12)
    np.testing.assert_allclose(
        fitted.weights, np.linalg.pinv(points) @ points @ weights
    )


def test_constant_column_and_single_row_do_not_divide_by_zero():
    points, weights, _ = linear_problem(5)
    points[:, 2] = 7.0
    fitted = fit_affine(points, points @ weights, 'standardize')
    np.testing.assert_allclose(fitted(points), points @ weights, atol=1e-11)
    single = fit_affine(points[:1], (points @ weights)[:1], 'standardize')
    np.testing.assert_allclose(single(points[:1]), (points @ weights)[:1])


@pytest.mark.parametrize('center', ['mean', float('nan')])
def test_unknown_centre_is_named(center):
    with pytest.raises(ValueError, match='center=.*standardize'):
        fit_affine(np.ones((2, 2)), np.ones((2, 2)), center)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(-5, 5), st.sampled_from(CENTERS))
def test_with_a_bias_a_shift_of_the_inputs_changes_nothing(seed, shift, center):
    points, weights, offset = linear_problem(seed)
    targets = points @ weights + offset + np.random.default_rng(seed).normal(size=4)
    fitted = fit_affine(points, targets, center, bias=True)(points)
    shifted = fit_affine(points + shift, targets, center, bias=True)(points + shift)
    np.testing.assert_allclose(shifted, fitted, atol=1e-8)


def test_each_target_learns_from_the_rows_where_it_is_visible():
    points, weights, offset = linear_problem(6)
    targets = points @ weights + offset
    visible = np.random.default_rng(7).random(targets.shape) > 0.3
    visible[:, 3] = False
    damaged = np.where(visible, targets, np.nan)
    fitted = fit_visible_affine(points, damaged, visible, 0.25, bias=True)
    np.testing.assert_allclose(fitted(points)[:, :3], targets[:, :3], atol=1e-11)
    # Never visible: the origin of the fit.
    np.testing.assert_allclose(fitted(points)[:, 3], 0.25)


def test_visible_fit_equals_separate_fits():
    points, weights, _ = linear_problem(8)
    generator = np.random.default_rng(9)
    targets = points @ weights + generator.normal(size=(60, 4))
    visible = generator.random(targets.shape) > 0.4
    joint = fit_visible_affine(points, targets, visible, 'standardize')
    for column in range(4):
        rows = visible[:, column]
        alone = fit_affine(points[rows], targets[rows][:, [column]], 'standardize')
        np.testing.assert_allclose(joint.weights[:, [column]], alone.weights)
        np.testing.assert_allclose(joint.offset[[column]], alone.offset)
