# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Gaussians at the highest cells, cell by cell."""

import math

import pytest
import torch

from mmkp.ops.token_maps.localization_targets import peak_gaussians


@pytest.mark.parametrize('sigma', [0.5, 2.0])
def test_heights_fall_with_the_distance_from_the_highest_cell(sigma):
    maps = torch.rand(2, 3, 5, 7, dtype=torch.float64)
    maps[0, 1, 4, 6] = 2  # in a corner
    found = peak_gaussians(maps, sigma)
    assert found.shape == maps.shape
    for map_, gaussian in zip(maps.view(-1, 5, 7), found.view(-1, 5, 7), strict=True):
        row, column = divmod(int(map_.argmax()), 7)
        assert gaussian[row, column] == 1
        for y in range(5):
            for x in range(7):
                squared = (x - column) ** 2 + (y - row) ** 2
                height = math.exp(-squared / (2 * sigma**2))
                assert gaussian[y, x] == pytest.approx(height, rel=1e-12)


def test_gaussians_have_no_gradient_and_at_least_float32():
    maps = torch.rand(1, 2, 4, 4).requires_grad_()
    assert not peak_gaussians(maps, 2.0).requires_grad
    half = peak_gaussians(maps.detach().half(), 2.0)
    assert half.dtype == torch.float32
    torch.testing.assert_close(
        half.double(), peak_gaussians(maps.detach().half().double(), 2.0)
    )
