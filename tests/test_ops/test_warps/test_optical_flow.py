# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Flow as a warp: between pixels, outside the image, and where it is unknown."""

import pytest
import torch
from warps import flow_of, make_warp

from mmkp.ops.warps.affine import AffineWarp
from mmkp.ops.warps.optical_flow import FlowWarp
from mmkp.ops.warps.warp import ComposedWarp


def test_flow_is_bilinear_between_pixels_and_constant_outside():
    flow = torch.zeros(1, 2, 3, 4)
    flow[0, 0] = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    flow[0, 1, 1] = 8.0
    warp = FlowWarp(flow, (4, 3))
    points = torch.tensor([[[1.5, 0.25], [2.0, 1.0], [-7.0, 0.0], [5.0, 1.0]]])
    expected = torch.tensor([[[3.0, 2.25], [4.0, 9.0], [-7.0, 0.0], [8.0, 9.0]]])
    torch.testing.assert_close(warp.points_to_source(points), expected)


def test_zero_flow_is_the_identity():
    warp = FlowWarp(torch.zeros(2, 2, 6, 5), (5, 6))
    images = torch.rand(2, 3, 6, 5)
    torch.testing.assert_close(warp.images(images), images, atol=1e-6, rtol=0)
    points = torch.rand(2, 7, 2) * 4
    assert torch.equal(warp.points_to_source(points), points)


def test_flow_of_an_affine_map_is_that_map():
    warp = make_warp('fse', (12, 9), seed=2, batch=2)
    assert isinstance(warp, AffineWarp)
    points = torch.rand(2, 20, 2, dtype=torch.float64) * torch.tensor([11.0, 8.0])
    torch.testing.assert_close(
        flow_of(warp, 2).points_to_source(points), warp.points_to_source(points)
    )


def test_a_point_is_valid_if_all_pixels_around_it_are():
    valid = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    valid[0, 0, 1, 2] = False
    warp = FlowWarp(torch.zeros(1, 2, 4, 4), (4, 4), valid)
    points = torch.tensor(
        [[[0.3, 0.7], [1.0, 1.0], [1.5, 1.0], [2.0, 2.0], [2.9, 0.1], [3.2, 0.0]]]
    )
    expected = torch.tensor([[1.0, 1.0, 0.0, 1.0, 0.0, 0.0]])
    assert torch.equal(warp.validity(points), expected)


def test_validity_of_a_composed_warp_follows_the_point():
    valid = torch.ones(1, 1, 5, 9)
    valid[..., 6:] = 0
    flow = torch.zeros(1, 2, 5, 9)
    flow[:, 0] = 3.0
    shifted = FlowWarp(flow, (9, 5))
    masked = FlowWarp(torch.zeros_like(flow), (9, 5), valid)
    points = torch.tensor([[[1.0, 2.0], [2.0, 2.0], [4.0, 2.0], [7.0, 2.0]]])
    # The first warp is met at x + 3, where pixels from 6 on are unknown.
    seen = ComposedWarp(masked, shifted).validity(points)
    assert seen.tolist() == [[1, 1, 0, 0]]
    seen = ComposedWarp(shifted, masked).validity(points)
    assert seen.tolist() == [[1, 1, 1, 0]]


def test_warps_given_by_formula_are_valid_everywhere():
    points = torch.tensor([[[-50.0, 3.0], [2.0, 2.0]]]).double()
    warp = make_warp('lmdis', (8, 8))
    assert torch.equal(warp.validity(points), torch.ones(1, 2).double())


def test_gradient_with_respect_to_the_flow_is_exact():
    flow = torch.randn(1, 2, 4, 5, dtype=torch.float64).requires_grad_()
    points = 0.1 + 2.8 * torch.rand(1, 6, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda values: FlowWarp(values, (5, 4)).points_to_source(points), flow
    )


def test_positions_from_half_precision_points_have_all_their_digits():
    warp = FlowWarp(torch.full((1, 2, 4, 4), 1e-3), (4, 4))
    points = torch.ones(1, 3, 2, dtype=torch.float16)
    torch.testing.assert_close(
        warp.points_to_source(points), torch.full((1, 3, 2), 1.001)
    )


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='resolution of the network input'):
        FlowWarp(torch.zeros(1, 2, 4, 5), (4, 5))
    with pytest.raises(ValueError, match='one mask'):
        FlowWarp(torch.zeros(1, 2, 4, 5), (5, 4), torch.ones(1, 4, 5))
