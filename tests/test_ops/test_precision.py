# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Guards against half precision and TF32, and constants on the device."""

import pytest
import torch

from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.moments import expected_squared_distance
from mmkp.ops.heatmaps.soft_argmax import soft_argmax
from mmkp.ops.precision import (
    constants,
    full_precision_product,
    in_full_precision,
    per_axis,
    product_by_elements,
)
from mmkp.ops.warps.samplers import random_lmdis_warp


@in_full_precision
def product(left, right, *, more=()):
    """A product and the dtypes of what came with it."""
    return left @ right, [value.dtype for value in more]


@pytest.mark.parametrize('half', [torch.bfloat16, torch.float16])
def test_guarded_functions_get_float32_outside_autocast(half):
    left, right = torch.rand(3, 4), torch.rand(4, 2)
    exact = left @ right
    doubles, halves = torch.ones(1, dtype=torch.float64), torch.ones(1, dtype=half)
    with torch.autocast('cpu', dtype=half):
        found, dtypes = product(left, right, more=[doubles, halves])
        assert (left @ right).dtype == half
    assert torch.equal(found, exact)
    assert dtypes == [torch.float64, torch.float32]
    leaf = left.to(half).requires_grad_()
    product(leaf, right)[0].sum().backward()
    assert leaf.grad.dtype == half
    assert product.__doc__.startswith('A product')


def test_constants_are_numbers_of_the_tensor_that_they_meet():
    like = torch.zeros(2, dtype=torch.float64)
    found = constants((1 / 3, 2.0), like)
    assert torch.equal(found, torch.tensor((1 / 3, 2.0), dtype=torch.float64))
    assert torch.equal(constants((1 / 3,), like.float()), torch.tensor((1 / 3,)))
    assert per_axis((7, 7), like) == 7
    assert torch.equal(per_axis((7, 9), like), like.new_tensor((7, 9)))


def test_geometry_makes_no_copy_from_the_host():
    class NoCopies(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            name = getattr(function, '__name__', '')
            assert name not in ('new_tensor', 'tensor', 'as_tensor'), name
            return function(*args, **(kwargs or {}))

    geometry = MapGeometry.cell_centers((90, 60), (18, 12), (8, 4))
    points = torch.rand(2, 5, 2)
    with NoCopies():
        with pytest.raises(AssertionError, match='new_tensor'):
            points.new_tensor((1, 2))
        geometry.to_pixels(geometry.to_cells(points))
        warp = random_lmdis_warp(2, (90, 60))
        warp.validity(warp.points_to_source(points))


@pytest.mark.parametrize('shape', [(2, 3, 50), (1, 50)])
def test_products_by_elements_are_the_same(shape):
    left = torch.rand(*shape, dtype=torch.float64)
    for right in (torch.rand(50, 4).double(), torch.rand(2, 50, 4).double()):
        if right.dim() > 2 and left.dim() < 3:
            continue
        exact = left @ right
        torch.testing.assert_close(product_by_elements(left, right), exact)
        assert torch.equal(full_precision_product(left, right), exact)


@pytest.mark.cuda
def test_tf32_rounds_no_position(monkeypatch):
    monkeypatch.setattr(torch.backends.cuda.matmul, 'allow_tf32', True)
    geometry = MapGeometry.inclusive((512, 512), (128, 128))
    maps = (9 * torch.randn(2, 16, 128 * 128)).softmax(-1).view(2, 16, 128, 128)
    exact = soft_argmax(maps.double(), geometry)
    found = soft_argmax(maps.cuda(), geometry).cpu().double()
    torch.testing.assert_close(found, exact, rtol=0, atol=1e-3)
    cells = geometry.centers(maps) / 256 - 1
    warped = (cells + 1e-3).expand(2, -1, -1)
    given = maps.flatten(2), cells, maps.flatten(2), warped
    exact, _ = expected_squared_distance(*(v.double() for v in given))
    found, _ = expected_squared_distance(*(v.cuda() for v in given))
    torch.testing.assert_close(found.cpu().double(), exact, rtol=1e-4, atol=1e-7)
    points = 511 * torch.rand(2, 99, 2)
    warp = random_lmdis_warp(2, (512, 512), dtype=torch.float64)
    exact = warp.points_to_source(points.double())
    for part in (warp.first, warp.second):
        for name, value in vars(part).items():
            if isinstance(value, torch.Tensor):
                setattr(part, name, value.float().cuda())
    found = warp.points_to_source(points.cuda()).cpu().double()
    torch.testing.assert_close(found, exact, rtol=0, atol=5e-3)
