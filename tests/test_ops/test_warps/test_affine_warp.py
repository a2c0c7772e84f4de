# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Affine warps: inverted, resized for maps of the image, and drawn."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from warps import similarity

from mmkp.ops.warps.affine import AffineWarp
from mmkp.ops.warps.samplers import (
    AFFINE_PRESETS,
    STABLE_KEYPOINTS,
    random_affine_warp,
    rotation_scale_shift,
)

affine_maps = st.tuples(
    st.floats(-180, 180), st.floats(0.3, 3), st.tuples(*[st.floats(-1, 1)] * 2)
)
sizes = st.tuples(st.integers(2, 300), st.integers(2, 300))
switches = st.tuples(st.booleans(), st.booleans())  # align_corners, legacy_grid


def drawn_affine_warp(drawn, size, align_corners, legacy_grid) -> AffineWarp:
    matrix = rotation_scale_shift(*similarity(*drawn), (1.0, 1.0))
    # A shear too, so that no part of the matrix is like another.
    matrix[:, 0, 1] += 0.1
    return AffineWarp(matrix, size, align_corners, legacy_grid)


@settings(max_examples=50, deadline=None)
@given(affine_maps, sizes, switches)
def test_an_affine_warp_and_its_inverse_are_the_identity(drawn, size, switched):
    warp = drawn_affine_warp(drawn, size, *switched)
    points = torch.rand(1, 6, 2, dtype=torch.float64) * torch.tensor(size)
    there = warp.points_to_source(points)
    torch.testing.assert_close(
        warp.inverse().points_to_source(there), points, rtol=0, atol=1e-9
    )
    back = warp.inverse().points_to_source(points)
    torch.testing.assert_close(warp.points_to_source(back), points, rtol=0, atol=1e-9)


def test_autocast_does_not_move_what_an_affine_warp_moves():
    affine = drawn_affine_warp((20.0, 0.7, (0.1, -0.2)), (512, 512), False, True)
    warp = dataclasses.replace(affine, affine=affine.affine.float())
    points = 500 * torch.rand(1, 6, 2)
    expected = warp.points_to_source(points), warp.inverse().points_to_source(points)
    with torch.autocast('cpu', torch.bfloat16):
        found = warp.points_to_source(points), warp.inverse().points_to_source(points)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)


def test_stable_keypoints_draws_uniformly_as_released():
    warp = random_affine_warp(
        4096,
        (64, 64),
        **AFFINE_PRESETS['stable_keypoints'],
        generator=torch.Generator().manual_seed(0),
        dtype=torch.float64,
    )
    assert (warp.align_corners, warp.legacy_grid) == (False, False)
    linear, shift = warp.affine[:, :, :2], warp.affine[:, :, 2]
    scale = torch.linalg.norm(linear[:, :, 0], dim=-1)
    torch.testing.assert_close(torch.linalg.det(linear), scale.square())
    angle = torch.rad2deg(torch.atan2(linear[:, 1, 0], linear[:, 0, 0]))
    for drawn, low, high in (
        (angle, -15, 15),
        (scale, 0.8, 1.0),
        (shift[:, 0], -0.25, 0.25),
        (shift[:, 1], -0.25, 0.25),
    ):
        assert low <= drawn.min() < low + 0.002 * (high - low)
        assert high - 0.002 * (high - low) < drawn.max() <= high
        assert drawn.std() == pytest.approx((high - low) / math.sqrt(12), rel=0.03)
    # Both axes are drawn apart.
    assert abs(torch.corrcoef(shift.T)[0, 1]) < 0.05


def test_a_range_of_shifts_adds_to_their_deviation():
    options = {'dtype': torch.float64, 'rotation_range': 0.0}
    shift = random_affine_warp(
        4096,
        (8, 8),
        translation_std=0.1,
        translation_range=0.3,
        generator=torch.Generator().manual_seed(0),
        **options,
    ).affine[:, :, 2]
    assert shift.std() == pytest.approx(math.sqrt(0.1**2 + 0.3**2 / 3), rel=0.03)
    without = random_affine_warp(4096, (8, 8), translation_std=0.0, **options)
    assert not without.affine[:, :, 2].any()


@pytest.mark.parametrize('align_corners', [False, True])
def test_affine_warps_keep_angles_in_pixels_whatever_spans_the_image(align_corners):
    size = (9, 4)
    warp = random_affine_warp(
        3,
        size,
        **{**STABLE_KEYPOINTS, 'align_corners': align_corners, 'rotation_range': 90.0},
        generator=torch.Generator().manual_seed(1),
        dtype=torch.float64,
    )
    points = 4 * torch.rand(3, 5, 2, dtype=torch.float64)
    moved = warp.points_to_source(points)
    ratio = torch.cdist(moved, moved)[:, 0, 1:] / torch.cdist(points, points)[:, 0, 1:]
    torch.testing.assert_close(ratio, ratio[:, :1].expand(-1, 4))
