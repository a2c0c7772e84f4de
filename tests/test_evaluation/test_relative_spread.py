import numpy as np
import pytest

from mmkp.evaluation.functional import relative_spread
from mmkp.evaluation.functional.ranked_values import ranked_values


def moved(number=200, points=6, seed=0):
    """One shape, turned any way, scaled and moved, in many images."""
    generator = np.random.default_rng(seed)
    shape = generator.normal(size=points) + 1j * generator.normal(size=points)
    turns = np.exp(1j * generator.uniform(0, 2 * np.pi, (number, 1)))
    scales = generator.uniform(0.8, 1.2, (number, 1))
    shift = generator.normal(size=(number, 1)) + 1j * generator.normal(size=(number, 1))
    return scales * turns * shape + shift, generator


def as_points(places):
    return np.stack([places.real, places.imag], axis=-1)


def test_a_rigid_shape_has_none_however_it_moves():
    places, _ = moved()
    np.testing.assert_allclose(relative_spread(as_points(places)), 0, atol=1e-9)


def test_what_wanders_is_told_from_what_does_not():
    places, generator = moved()
    wander = 0.3 * (generator.normal(size=200) + 1j * generator.normal(size=200))
    places[:, 2] += wander
    found = relative_spread(as_points(places))
    # Standard deviation .3 in each direction; it pulls at the places of the others.
    assert found[2] == pytest.approx(0.3 * 2**0.5, rel=0.1)
    assert np.delete(found, 2).max() < 0.6 * found[2]


def test_two_keypoints_have_no_shape():
    assert np.isnan(relative_spread(np.zeros((5, 2, 2)))).all()
    assert (relative_spread(np.ones((5, 4, 2))) == 0).all()


def test_values_are_said_from_the_worst_on():
    assert ranked_values('abc', np.array([1.234, np.nan, 10])) == 'c 10, a 1.23'
    assert ranked_values([], np.zeros(0)) == ''
    many = ranked_values([str(i) for i in range(30)], np.arange(30.0))
    assert many == '29 29, 28 28, 27 27, 26 26, ..., 3 3, 2 2, 1 1, 0 0'
