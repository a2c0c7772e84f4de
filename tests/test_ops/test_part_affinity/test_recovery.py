"""Keypoints searched along fields: the best step of a walk, and the first of equals."""

import numpy as np
import pytest

from mmkp.ops.part_affinity.recovery import walk_along_field


def slanted(angle, strength=1.0, size=(9, 9)):
    """A field (2, h, w) that points in the same direction everywhere."""
    vector = strength * np.array([np.cos(angle), np.sin(angle)])
    return np.broadcast_to(vector[:, None, None], (2, *size)).astype(np.float32)


def test_the_first_of_equal_steps_counts():
    # A field of the same strength everywhere: within a cell all steps weigh the same.
    heat = np.ones((9, 9), np.float32)
    for angle in np.linspace(0.1, 1.4, 50):
        field = np.ascontiguousarray(slanted(angle))
        found = walk_along_field(heat, field, (2.0, 2.0), 1.0, 0.3, 0.0)
        assert np.hypot(found[2] - 2, found[3] - 2) == pytest.approx(0.3)


@pytest.mark.parametrize('sign', [1.0, -1.0])
@pytest.mark.parametrize('field_offset', [0.0, 7 / 16])
def test_the_warmest_cell_on_the_way_is_found(sign, field_offset):
    heat = np.zeros((9, 9), np.float32)
    heat[4, 6] = heat[1, 1] = 0.8  # the second one lies beside the way
    field = np.ascontiguousarray(slanted(0.0 if sign > 0 else np.pi, 0.5))
    arguments = ((1.0, 4.0), sign, 0.5, field_offset)
    found = walk_along_field(heat, field, *arguments)
    # Confidence times the mean of the field; the first step in the cell.
    assert found == pytest.approx((0.4, 0.8, 5.5, 4.0), abs=1e-6)
    # Against the field there is nothing.
    assert walk_along_field(heat, -field, *arguments)[0] == 0
    # A field of nothing leads nowhere.
    assert walk_along_field(heat, field / 100, *arguments)[0] == 0


def test_steps_outside_of_the_map_do_not_count():
    heat = np.ones((9, 9), np.float32)
    field = np.ascontiguousarray(slanted(np.pi))
    assert walk_along_field(heat, field, (0.4, 4.0), 1.0, 1.0, 0.0)[0] == 0
