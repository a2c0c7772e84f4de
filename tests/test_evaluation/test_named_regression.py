# Copyright (c) mmkp authors. Licensed under Apache-2.0.
import numpy as np
import pytest

from mmkp.evaluation.functional.kernel_herding import herd
from mmkp.evaluation.functional.linear_regression import AffineMap
from mmkp.evaluation.functional.named_regression import (
    distances,
    fit_named,
    quarter_turns,
    unusual_errors,
)
from mmkp.evaluation.functional.ridge_regression import fit_ridge

ONE = np.ones((1, 2))


def objects(number, seed=0, noise=0.002):
    generator = np.random.default_rng(seed)
    places = np.array([[0.2, 0.2], [0.3, 0.4], [0.8, 0.6], [0.5, 0.9]])
    found = places + generator.uniform(-0.1, 0.1, (number, 4, 2))
    named = np.stack([found[:, :2].mean(1), found[:, 2] + [0.05, -0.02]], axis=1)
    return found[:, None], (named + noise * generator.normal(size=named.shape))[:, None]


def test_what_is_left_out_is_predicted_without_it():
    found, labels = objects(12)
    scales = np.full((12, 2), 100.0)
    fit = fit_named(found, labels, scales)
    keep = np.arange(12) != 5
    without = fit_ridge(found[keep].reshape(11, -1), labels[keep].reshape(11, -1))
    expected = without(found[5].reshape(1, -1)).reshape(2, 2)
    np.testing.assert_allclose(fit.left_out[5], expected)
    np.testing.assert_allclose(fit.mean_left_out[5], labels[keep, 0].mean(0))
    assert distances(fit.left_out, labels[:, 0], scales).mean() < 1.5
    assert distances(fit.mean_left_out, labels[:, 0], scales).mean() > 3


def test_missing_points_are_fitted_on_the_others():
    found, labels = objects(12)
    some = labels.copy()
    some[3:7, :, 1] = np.nan
    fit = fit_named(found, some, np.repeat(ONE, 12, 0))
    keep = np.r_[0:3, 7:12]
    expected = fit_ridge(found[keep].reshape(8, -1), labels[keep, 0, 1])
    np.testing.assert_allclose(fit.regressor.weights[:, 2:], expected.weights)
    nowhere = labels.copy()
    nowhere[:, :, 1] = np.nan
    fit = fit_named(found, nowhere, np.repeat(ONE, 12, 0))
    assert np.isnan(fit.regressor.offset[2:]).all()
    assert np.isfinite(fit.left_out[:, 0]).all()
    assert np.isnan(fit.left_out[:, 1]).all()


def test_two_labels_and_one():
    for number in (1, 2):
        found, labels = objects(number)
        fit = fit_named(found, labels, np.repeat(ONE, number, 0))
        rows = fit.regressor(found.reshape(number, -1)).reshape(-1, 2, 2)
        np.testing.assert_allclose(rows, labels.mean(0).repeat(number, 0))
        assert np.isnan(fit.left_out).all() == (number == 1)


def test_objects_that_turn_get_a_map_that_turns():
    generator = np.random.default_rng(0)
    shape = np.array([[0, 0.2], [0.1, 0], [-0.1, -0.1], [0, -0.3]])
    angles = np.linspace(-np.pi, np.pi, 9)[:-1]
    turns = np.array(
        [[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]
    )
    found = np.einsum('abn,kb->nka', turns, shape) + 0.5
    found = found + 0.005 * generator.normal(size=found.shape)
    labels = 1.3 * (found[:, :3] - 0.5) + 0.5
    fit = fit_named(found[:, None], labels[:, None], np.repeat(64 * ONE, 8, 0))
    assert fit.turned
    quarter = quarter_turns(found[:, None], np.repeat(ONE, 8, 0))
    expected = quarter_turns(labels[:, None], np.repeat(ONE, 8, 0))
    predicted = fit.regressor(quarter.reshape(32, -1)).reshape(8, 4, 3, 2)
    np.testing.assert_allclose(predicted, expected, atol=0.02)


def test_quarter_turns_are_of_pixels():
    point = np.array([[[[0.5, 0.75]]]])  # 25 pixels below the middle of 200 by 100
    turns = quarter_turns(point, np.array([[200.0, 100.0]]))[0, :, 0]
    np.testing.assert_allclose(
        turns, [[0.5, 0.75], [0.375, 0.5], [0.5, 0.25], [0.625, 0.5]]
    )


def test_corrections_are_added_to_what_is_known():
    found, labels = objects(10)
    middle = AffineMap(
        np.kron([[0.5, 0], [0.5, 0], [0, 1], [0, 0]], np.eye(2)), np.zeros(4)
    )
    fit = fit_named(found, labels, np.repeat(ONE, 10, 0), middle)
    rest = labels[:, 0].reshape(10, -1) - middle(found.reshape(10, -1))
    expected = fit_ridge(found.reshape(10, -1), rest)
    np.testing.assert_allclose(fit.regressor.offset, expected.offset, atol=1e-12)
    np.testing.assert_allclose(
        fit.regressor.weights, middle.weights + expected.weights, atol=1e-12
    )
    np.testing.assert_allclose(fit.regressor.offset, [0, 0, 0.05, -0.02], atol=0.01)


def test_errors_that_stand_out():
    errors = np.array([1.0, 1.1, 0.9, 1.2, np.nan, 9.0, 1.0])
    np.testing.assert_array_equal(np.flatnonzero(unusual_errors(errors)), [5])
    assert not unusual_errors(errors[4:6]).any()


def test_herding_takes_each_cluster_in_turn_and_the_lonely_last():
    generator = np.random.default_rng(0)
    centers = np.repeat([[0.0, 0], [8, 0], [0, 8]], [30, 20, 10], 0)
    points = np.r_[centers + 0.3 * generator.normal(size=(60, 2)), [[60.0, 60]]]
    chosen = herd(points, 3, bandwidth=0.2)
    assert sorted(centers[chosen].tolist()) == [[0, 0], [0, 8], [8, 0]]
    assert chosen[0] < 30
    assert len(set(herd(points, 100).tolist())) == 61
    # What is known already is not chosen, nor is its cluster first.
    assert herd(points, 1, known=[chosen[0]], bandwidth=0.2)[0] == chosen[1]


@pytest.mark.parametrize('number', [0, 2])
def test_herding_of_equal_points(number):
    assert len(herd(np.ones((4, 2)), number)) == number
