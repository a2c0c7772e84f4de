# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Maps of views come back to where the image has them."""

import pytest
import torch
from warps import centroid, make_warp, paint_dot

from mmkp.ops.geometry import MapGeometry
from mmkp.ops.token_maps.view_aggregation import ViewAggregator
from mmkp.ops.warps.affine import AffineWarp, maps_to_source
from mmkp.ops.warps.samplers import STABLE_KEYPOINTS, random_affine_warp

IMAGE_SIZE = (96, 80)


def affine_warp(rows, batch=1, size=IMAGE_SIZE, **options):
    matrix = torch.tensor(rows, dtype=torch.float64).expand(batch, 2, 3)
    return AffineWarp(matrix, size, **{'align_corners': False, **options})


IDENTITY = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
# Two cells of 8 to the right and one up: the view at x shows the image at x + 2 cells.
SHIFT = [[1.0, 0.0, 0.5], [0.0, 1.0, -0.25]]


def aggregator_of(map_size):
    return ViewAggregator(MapGeometry.cell_centers(IMAGE_SIZE, map_size))


def random_maps(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def test_views_without_a_warp_are_averaged():
    maps = [random_maps(2, 3, 8, 8, seed=seed) for seed in range(3)]
    aggregator = aggregator_of((8, 8))
    for view in maps:
        aggregator.add(view, affine_warp(IDENTITY, 2))
    torch.testing.assert_close(aggregator.result(), torch.stack(maps).mean(0))
    coverage = aggregator.coverage()
    torch.testing.assert_close(coverage, torch.full_like(coverage, 3))


def test_each_cell_is_divided_by_how_many_views_show_it():
    maps = [random_maps(1, 2, 8, 8, seed=seed) for seed in range(2)]
    aggregator = aggregator_of((8, 8))
    aggregator.add(maps[0], affine_warp(SHIFT))
    once = aggregator.result()
    torch.testing.assert_close(once[:, :, :7, 2:], maps[0][:, :, 1:, :6])
    # The view ends, up to rounding, with the second column and the bottom row.
    assert not once[:, :, :7, 0].any()
    shown = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    shown[:, :, :7, 2:] = 1
    torch.testing.assert_close(aggregator.coverage(), shown, rtol=0, atol=1e-12)
    aggregator.add(maps[1], affine_warp(IDENTITY))
    twice = aggregator.result()
    torch.testing.assert_close(twice[:, :, :7, 2:], (once + maps[1])[:, :, :7, 2:] / 2)
    torch.testing.assert_close(twice[:, :, :, :2], maps[1][:, :, :, :2])


@pytest.mark.parametrize('align_corners', [False, True])
def test_a_peak_of_the_image_comes_back_from_each_of_its_views(align_corners):
    stride, map_size = 4, (24, 20)
    target = torch.tensor([50.0, 38.0], dtype=torch.float64)
    options = {**STABLE_KEYPOINTS, 'align_corners': align_corners}
    for seed in range(3):
        warp = random_affine_warp(
            1,
            IMAGE_SIZE,
            **options,
            generator=torch.Generator().manual_seed(seed),
            dtype=torch.float64,
        )
        # Where the view has it, so also where the map of the view has it.
        seen = warp.inverse().points_to_source(target[None, None])
        view = paint_dot((seen[0, 0] + 0.5) / stride - 0.5, map_size)
        aggregator = aggregator_of(IMAGE_SIZE)
        aggregator.add(view, warp)
        found = centroid(aggregator.result() ** 4)
        assert torch.linalg.norm(found - target) < 0.08, seed


def test_maps_are_enlarged_bilinearly():
    maps = random_maps(1, 2, 5, 6)
    aggregator = aggregator_of((12, 10))
    aggregator.add(maps, affine_warp(IDENTITY))
    expected = torch.nn.functional.interpolate(maps, (10, 12), mode='bilinear')
    torch.testing.assert_close(aggregator.result(), expected)
    assert aggregator.coverage().shape == (1, 1, 10, 12)


def test_each_image_of_a_batch_has_its_own_warp():
    matrices = torch.tensor([SHIFT, IDENTITY], dtype=torch.float64)
    maps = random_maps(2, 2, 8, 8)
    aggregator = aggregator_of((8, 8))
    aggregator.add(maps, AffineWarp(matrices, IMAGE_SIZE, align_corners=False))
    result = aggregator.result()
    torch.testing.assert_close(result[1], maps[1])
    torch.testing.assert_close(result[0, :, :7, 2:], maps[0, :, 1:, :6])


def test_what_was_added_is_not_changed_later():
    aggregator = aggregator_of((8, 8))
    aggregator.add(random_maps(1, 2, 8, 8), affine_warp(IDENTITY))
    coverage = aggregator.coverage()
    before = coverage.clone()
    aggregator.add(random_maps(1, 2, 8, 8), affine_warp(IDENTITY))
    assert torch.equal(coverage, before)


def test_half_precision_maps_are_averaged_in_float32():
    maps = random_maps(1, 2, 8, 8).half()
    aggregator = aggregator_of((16, 16))
    aggregator.add(maps, affine_warp(SHIFT))
    assert aggregator.result().dtype == torch.float32
    geometry = MapGeometry.cell_centers(IMAGE_SIZE, (8, 8))
    assert maps_to_source(maps, affine_warp(SHIFT), geometry).dtype == torch.float32


def test_a_result_needs_a_view():
    aggregator = aggregator_of((8, 8))
    for method in (aggregator.result, aggregator.coverage):
        with pytest.raises(ValueError, match='num_views must be at least 1'):
            method()


@pytest.mark.parametrize(
    ('kind', 'name'), [('dve', 'ThinPlateSpline'), ('lmdis', 'ComposedWarp')]
)
def test_a_warp_that_is_not_affine_is_refused(kind, name):
    with pytest.raises(ValueError, match=f'through a {name}.*use RandomAffineWarp'):
        aggregator_of((8, 8)).add(random_maps(1, 1, 8, 8), make_warp(kind, (8, 8)))
