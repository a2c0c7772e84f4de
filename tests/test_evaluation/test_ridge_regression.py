import numpy as np
import pytest

from mmkp.evaluation.functional import (
    KeypointSamples,
    evaluate_discovery,
    fit_affine,
    fit_ridge,
    fit_visible_affine,
    get_protocol,
)
from mmkp.evaluation.functional.ridge_regression import (
    STRENGTHS,
    leave_one_out_residuals,
)


def noisy(seed, rows, inputs, noise):
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(rows, inputs))
    targets = points @ generator.normal(size=(inputs, 2)) + [3.0, -1.0]
    return points, targets + noise * generator.normal(size=targets.shape)


def decomposed(points):
    return np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[:2]


def ridge_of(points, targets, strength):
    """The normal equations, with a constant term that is not penalised."""
    origin, mean = points.mean(axis=0), targets.mean(axis=0)
    design = points - origin
    square = design.T @ design + strength * np.eye(points.shape[1])
    weights = np.linalg.solve(square, design.T @ (targets - mean))
    return lambda x: mean + (x - origin) @ weights


@pytest.mark.parametrize(('rows', 'inputs'), [(30, 4), (6, 9)])
@pytest.mark.parametrize('strength', [0.01, 2.0])
def test_errors_left_out_are_those_of_fits_without_the_row(rows, inputs, strength):
    points, targets = noisy(0, rows, inputs, 0.3)
    expected = [
        targets[i]
        - ridge_of(np.delete(points, i, 0), np.delete(targets, i, 0), strength)(
            points[i]
        )
        for i in range(rows)
    ]
    centered = targets - targets.mean(axis=0)
    found = leave_one_out_residuals(*decomposed(points), centered, strength)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize('strength', [0.01, 2.0])
def test_errors_left_out_of_images_in_two_copies(strength):
    points, targets = noisy(1, 12, 4, 0.3)
    expected = []
    for i in range(0, 12, 2):
        without = (np.delete(values, [i, i + 1], 0) for values in (points, targets))
        found = ridge_of(*without, strength)(points[i : i + 2])
        expected.append(targets[i : i + 2] - found)
    centered = targets - targets.mean(axis=0)
    found = leave_one_out_residuals(*decomposed(points), centered, strength, copies=2)
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-9)


def test_one_input_and_the_mean_in_closed_form():
    # x = -1, 0, 1: the slope is 2 / (2 + strength) of the true one.
    left, singular = decomposed(np.array([[-1.0], [0.0], [1.0]]))
    targets = np.array([[-1.0], [0.0], [1.0]])
    # H_11 = 1/3 + (1/2)(2/4), H y = y / 2.
    found = leave_one_out_residuals(left, singular, targets, 2.0)
    expected = [[-0.5 / (1 - 1 / 3 - 1 / 4)], [0], [0.5 / (1 - 1 / 3 - 1 / 4)]]
    np.testing.assert_allclose(found, expected)
    # Without any slope a row is predicted by the mean of the others.
    found = leave_one_out_residuals(left, singular, targets, float('inf'))
    np.testing.assert_allclose(found, [[-1.5], [0], [1.5]])


def test_many_exact_rows_give_the_least_squares_map():
    points, targets = noisy(1, 60, 6, 0.0)
    found, expected = fit_ridge(points, targets), fit_affine(points, targets, bias=True)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-6)
    np.testing.assert_allclose(found(points), targets, atol=1e-6)


def test_the_strength_is_the_best_of_all_by_brute_force():
    points, targets = noisy(2, 12, 10, 1.0)
    largest = decomposed(points)[1][0] ** 2
    errors = {}
    for strength in STRENGTHS[1:]:
        fits = (
            ridge_of(
                np.delete(points, i, 0), np.delete(targets, i, 0), largest * strength
            )
            for i in range(12)
        )
        errors[strength] = sum(
            np.square(fit(points[i]) - targets[i]).sum() for i, fit in enumerate(fits)
        )
    best = ridge_of(points, targets, largest * min(errors, key=errors.get))
    np.testing.assert_allclose(fit_ridge(points, targets)(points), best(points))


def test_inputs_that_tell_nothing_and_few_rows_give_the_mean():
    generator = np.random.default_rng(3)
    points, targets = generator.normal(size=(34, 30)), generator.normal(size=(34, 2))
    fresh = generator.normal(size=(500, 30))
    shift = fit_ridge(points, targets)(fresh) - targets.mean(axis=0)
    exploded = fit_affine(points, targets, bias=True)(fresh) - targets.mean(axis=0)
    assert np.abs(shift).mean() < 0.3 < 1 < np.abs(exploded).mean()
    for rows in (1, 2):
        fitted = fit_ridge(points[:rows], targets[:rows])
        assert np.array_equal(fitted(fresh[:1])[0], targets[:rows].mean(axis=0))
    still = fit_ridge(np.ones((5, 4)), targets[:5])
    np.testing.assert_allclose(still(fresh[:3, :4]), [targets[:5].mean(axis=0)] * 3)


def test_wrong_tables_are_refused():
    with pytest.raises(ValueError, match='no row to fit'):
        fit_ridge(np.zeros((0, 2)), np.zeros((0, 2)))
    with pytest.raises(ValueError, match='3 rows of inputs but 2 of targets'):
        fit_ridge(np.zeros((3, 2)), np.zeros((2, 2)))


def test_each_target_is_fitted_on_the_rows_that_show_it():
    points, targets = noisy(4, 20, 3, 0.0)
    visible = np.ones((20, 2), bool)
    visible[:5, 0] = False
    spoiled = np.where(visible, targets, np.nan)
    fitted = fit_visible_affine(points, spoiled, visible, ridge=True)
    np.testing.assert_allclose(fitted(points), targets, atol=1e-6)
    never = fit_visible_affine(points, spoiled, visible & [True, False], ridge=True)
    assert (never(points)[:, 1] == 0).all()


def test_few_shot_rows_by_ridge_stay_near_the_mean_pose_where_least_squares_explode():
    generator = np.random.default_rng(5)
    annotated = generator.normal(0.5, 0.1, (90, 3, 2))
    # Five keypoints that follow the points loosely, five that wander.
    follow = annotated[:, [0, 1, 2, 0, 1]] + generator.normal(0, 0.05, (90, 5, 2))
    wander = generator.normal(0.5, 0.1, (90, 5, 2))
    samples = KeypointSamples.from_arrays(
        np.concatenate([follow, wander], 1), annotated
    )
    report = evaluate_discovery(
        get_protocol('generic'),
        samples.select(np.arange(60)),
        samples.select(np.arange(60, 90)),
        shots=(20,),
    )
    figures = report.figures()
    plain, ridge = (figures[f'forward_20_shot_{k}median'] for k in ('', 'ridge_'))
    assert ridge < 0.7 * figures['forward_20_shot_median_mean_pose'] < plain
    assert 'forward_20_shot_ridge_median_mean_pose' not in figures
    assert 'by cross-validated ridge' in report.table()
    assert len(report.to_dict()['ridge_per_draw']['20']['detector']) == 10


def test_a_protocol_can_ask_for_ridge_altogether():
    assert get_protocol('mafl').regression == 'least_squares'
    assert get_protocol('mafl', regression='ridge').regression == 'ridge'
    with pytest.raises(ValueError, match="regression='lasso' is unknown"):
        get_protocol('mafl', regression='lasso')
