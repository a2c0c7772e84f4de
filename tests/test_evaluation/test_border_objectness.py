# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Objects that are told from the background by what the border shows."""

import numpy as np
import pytest

from mmkp.evaluation.functional.border_objectness import (
    border_objectness,
    objectness_share,
)

SIDE = 32


@pytest.fixture
def film():
    """A bright square that runs about over a dark wall and a treadmill below."""
    rng = np.random.default_rng(0)
    maps = rng.normal(0.2, 0.02, (30, SIDE, SIDE, 3))
    maps[:, 22:] += [0.3, 0.1, 0.0]
    places = rng.integers(6, 15, (30, 2))
    for picture, (x, y) in zip(maps, places, strict=True):
        picture[y : y + 7, x : x + 7] = rng.normal(0.9, 0.02, (7, 7, 3))
    return maps, places


def test_points_on_the_object_and_on_the_treadmill(film):
    maps, places = film
    objectness = border_objectness(maps, seed=1)
    assert objectness.shape == (30, SIDE, SIDE) and 0 <= objectness.min()
    inside = (places + 3.5) / SIDE
    beside = (places + [3.5, -2.5]) / SIDE
    treadmill = np.broadcast_to([0.5, 0.8], (30, 2))
    wall = np.broadcast_to([0.5, 0.1], (30, 2))
    outside = np.broadcast_to([1.2, 0.5], (30, 2))
    keypoints = np.stack([inside, beside, treadmill, wall, outside], axis=1)
    found = objectness_share(objectness, keypoints)
    assert found[0] > 0.95 and found[1:].max() < 0.35 and found[4] == 0


def test_the_same_seed_gives_the_same_clusters(film):
    maps = film[0][:6]
    again = border_objectness(maps.astype(np.float32).astype(np.float64))
    np.testing.assert_allclose(border_objectness(maps), again, atol=1e-3)
    plain = border_objectness(np.full((2, 4, 4, 1), 7.0))
    assert (plain == 0).all()


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r'shape \(n, h, w, C\), got \(4, 4, 3\)'):
        border_objectness(np.zeros((4, 4, 3)))
