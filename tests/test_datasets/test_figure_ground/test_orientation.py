# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Whether objects stand the same way."""

import cv2
import numpy as np
import pytest

from mmkp.datasets.figure_ground import standing_share


def wedge(angle, center=(60, 60), scale=1.0):
    """A long wedge with a heavy end, turned by an angle in degrees."""
    points = np.array([[-12, 34], [12, 34], [5, -34], [-5, -34]], float) * scale
    radians = np.deg2rad(angle)
    turn = np.array(
        [[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]]
    )
    image = np.zeros((120, 120), np.uint8)
    cv2.fillPoly(image, [(points @ turn.T + center).round().astype(np.int32)], 200)
    return image.astype(np.float32)


def test_objects_on_their_feet_stand_whatever_their_place_and_size():
    random = np.random.default_rng(0)
    objects = [
        wedge(
            random.normal(0, 8),
            60 + random.uniform(-15, 15, 2),
            random.uniform(0.6, 1.1),
        )
        for _ in range(20)
    ]
    assert standing_share(objects) == 1


def test_objects_that_are_turned_any_way_do_not():
    angles = np.random.default_rng(1).uniform(0, 360, 40)
    assert standing_share([wedge(angle) for angle in angles]) < 0.6


def test_ends_that_are_exchanged_are_seen():
    # The axis is the same in all of them, a third is upside down.
    objects = [wedge(180 * (index % 3 == 0)) for index in range(30)]
    assert standing_share(objects) == pytest.approx(2 / 3)


def test_one_object_tells_nothing():
    assert standing_share([wedge(0)]) == standing_share([]) == 0
    assert standing_share([wedge(0), np.zeros((9, 9))]) == 0
