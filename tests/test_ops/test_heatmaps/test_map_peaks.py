# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where maps are highest, in pixels of the image."""

import math

import pytest
import torch

from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.peaks import highest_cells, peak_centroids, peak_positions

# Cells of 4 x 2 pixels.
GEOMETRY = MapGeometry.cell_centers((56, 24), (14, 12))


def random_maps(seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, 3, 12, 14, generator=generator, dtype=dtype)


def test_highest_cells_are_columns_and_rows():
    maps = torch.zeros(1, 3, 4, 6)
    maps[0, 0, 2, 5] = 1
    maps[0, 1, 3, 0] = 2
    # Of equal cells the first, row by row.
    maps[0, 2, 1, 4] = maps[0, 2, 1, 5] = maps[0, 2, 2, 0] = 3
    column, row = highest_cells(maps)
    assert column.tolist() == [[5, 0, 4]]
    assert row.tolist() == [[2, 3, 1]]
    assert column.dtype == torch.int64


def test_a_peak_lies_in_the_middle_of_the_pixels_of_its_cell():
    maps = torch.zeros(1, 2, 12, 14)
    maps[0, 0, 0, 0] = maps[0, 1, 11, 3] = 1
    points = peak_positions(maps, GEOMETRY)
    # Columns 0-3 and 12-15, rows 0-1 and 22-23.
    assert points.tolist() == [[[1.5, 0.5], [13.5, 22.5]]]


@pytest.mark.parametrize(
    ('dtype', 'expected'),
    [(torch.float16, torch.float32), (torch.float64, torch.float64)],
)
def test_positions_have_at_least_float32(dtype, expected):
    maps = torch.zeros(1, 1, 1, 600)
    maps[..., 599] = 1
    for function in (peak_positions, peak_centroids):
        points = function(maps.to(dtype), MapGeometry.cell_centers((4800, 8), (600, 1)))
        assert points.dtype == expected
        # Half precision has no 4795.5.
        torch.testing.assert_close(
            points[0, 0], points.new_tensor((4795.5, 3.5)), rtol=0, atol=0.01
        )


def written_out(map_, radius):
    """The released formula for one map, cell by cell."""
    height, width = map_.shape
    row, column = divmod(int(map_.argmax()), width)
    total, mass = torch.zeros(2, dtype=torch.float64), 1e-6
    for y in range(height):
        for x in range(width):
            if math.hypot(x - column, y - row) <= radius:
                total += map_[y, x] * torch.tensor([x, y])
                mass += map_[y, x]
    x, y = total / mass
    return torch.stack((4 * x + 1.5, 2 * y + 0.5))


@pytest.mark.parametrize('radius', [0, 1, 2.5, 5.0, 100.0])
def test_centroids_are_those_of_the_released_formula(radius):
    maps = random_maps()
    maps[0, 0, 0, 0] = maps[0, 1, 11, 13] = maps[1, 0, 5, 13] = 2
    found = peak_centroids(maps, GEOMETRY, radius)
    expected = [[written_out(map_, radius) for map_ in image] for image in maps]
    expected = torch.stack([torch.stack(image) for image in expected])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


def test_a_centroid_of_radius_0_is_the_peak():
    maps = random_maps()
    torch.testing.assert_close(
        peak_centroids(maps, GEOMETRY, 0),
        peak_positions(maps, GEOMETRY),
        rtol=0,
        atol=2e-4,
    )


def test_a_centroid_finds_a_peak_between_cells():
    cells = torch.arange(32, dtype=torch.float64)
    lines = [(-((cells - center) ** 2) / 8).exp() for center in (14.3, 17.8)]
    maps = (lines[1][:, None] * lines[0])[None, None]
    geometry = MapGeometry.cell_centers((32, 32), (32, 32))
    found = peak_centroids(maps, geometry, 8.0)[0, 0]
    expected = torch.tensor([14.3, 17.8], dtype=torch.float64)
    assert (found - expected).abs().max() < 0.01
    assert (peak_positions(maps, geometry)[0, 0] - expected).abs().max() > 0.19


def test_gradients_of_centroids_are_exact():
    maps = random_maps()[:1, :2, :5, :6].clone()
    maps[0, 0, 2, 3] = maps[0, 1, 0, 5] = 2
    maps.requires_grad_()
    geometry = MapGeometry.cell_centers((24, 10), (6, 5))
    assert torch.autograd.gradcheck(
        lambda m: peak_centroids(m, geometry, 2.0), maps, eps=1e-6
    )
    assert not peak_positions(maps, geometry).requires_grad


def test_a_map_of_zeros_has_a_finite_centroid():
    geometry = MapGeometry.cell_centers((16, 16), (4, 4))
    assert peak_centroids(torch.zeros(1, 1, 4, 4), geometry).isfinite().all()


@pytest.mark.parametrize('radius', [-1.0, float('nan')])
def test_a_radius_below_0_is_refused(radius):
    with pytest.raises(ValueError, match='must be 0'):
        peak_centroids(random_maps(), GEOMETRY, radius)
