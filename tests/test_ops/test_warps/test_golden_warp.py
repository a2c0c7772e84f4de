# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Warps against the spline files of IMM and DVE, and the released code of LMDIS."""

import numpy as np
import pytest
import torch

from mmkp.ops.warps.affine import AffineWarp
from mmkp.ops.warps.optical_flow import FlowWarp
from mmkp.ops.warps.samplers import lmdis_spline
from mmkp.ops.warps.thin_plate_spline import ThinPlateSpline
from mmkp.ops.warps.warp import ComposedWarp, to_norm, to_pixels

FRAME = (24, 24)


def load(golden_dir, name):
    with np.load(golden_dir / name) as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays}


def pixel_grid(size):
    y, x = torch.meshgrid(
        torch.arange(size[1], dtype=torch.float64),
        torch.arange(size[0], dtype=torch.float64),
        indexing='ij',
    )
    return torch.stack((x, y), -1).view(1, -1, 2)


def sampled_spline(golden, name, align_corners=True):
    """The stored spline, for pictures of 64 x 48 pixels."""
    weights = golden[f'{name}/weights']
    line = torch.linspace(-1, 1, 10, dtype=torch.float64)
    control = torch.stack(torch.meshgrid(line, line, indexing='xy'), -1).view(-1, 2)
    # Rows of the stored weights: kernels, then 1, x, y.
    affine = weights[[101, 102, 100]].T[None]
    kernel = 'shifted' if name == 'dve' else 'clipped'
    return ThinPlateSpline(
        affine,
        control,
        weights[None, :100],
        (64, 48),
        kernel,
        align_corners,
        legacy_grid=not align_corners,
    )


@pytest.mark.parametrize('align_corners', [True, False])
@pytest.mark.parametrize('name', ['imm_target', 'imm_source', 'dve'])
def test_sampled_splines_golden(golden_dir, name, align_corners):
    golden = load(golden_dir, 'thewlis/tps.npz')
    warp = sampled_spline(golden, name, align_corners)
    # The grid of the warped picture is inclusive in both pairings.
    points = to_pixels(golden[f'{name}/points_warped_xy'], warp.image_size)
    source = to_norm(
        warp.points_to_source(points[None]), warp.image_size, align_corners
    )
    expected = golden[f'{name}/points_source_xy']
    torch.testing.assert_close(source[0], expected, atol=1e-9, rtol=0)

    grid = to_norm(
        warp.points_to_source(pixel_grid(warp.image_size)),
        warp.image_size,
        align_corners,
    )
    torch.testing.assert_close(
        grid.view(48, 64, 2), golden[f'{name}/grid'], atol=1e-9, rtol=0
    )

    picture = golden['picture'][None].double() / 255
    warped = warp.images(picture, padding_mode='zeros')[0]
    expected = golden[f'{name}/warped_align_corners_{align_corners}']
    torch.testing.assert_close(warped, expected.double(), atol=1e-6, rtol=0)


@pytest.mark.parametrize('name', ['imm_target', 'imm_source', 'dve'])
def test_annotated_points_golden(golden_dir, name):
    golden = load(golden_dir, 'thewlis/tps.npz')
    warp = sampled_spline(golden, name)
    warped = to_pixels(golden[f'{name}/gt_warped_xy'], warp.image_size)
    source = to_norm(warp.points_to_source(warped[None]), warp.image_size)
    expected = golden[f'{name}/gt_source_xy']
    torch.testing.assert_close(source[0], expected, atol=1e-8, rtol=0)


@pytest.mark.parametrize('name', ['centre', 'inclusive'])
def test_affine_field_golden(golden_dir, name):
    golden = load(golden_dir, 'thewlis/losses.npz')
    warp = AffineWarp(golden['affine'], (12, 12), align_corners=name == 'inclusive')
    field = warp.points_to_source(pixel_grid((12, 12)).expand(2, -1, -1))
    expected = golden[f'field/affine_{name}'].flatten(2).transpose(1, 2)
    torch.testing.assert_close(field, expected, atol=1e-9, rtol=0)


def test_spline_field_golden(golden_dir):
    golden = load(golden_dir, 'thewlis/losses.npz')
    weights = golden['tps_weights']
    affine = weights[:, [26, 27, 25]].transpose(1, 2)
    warp = ThinPlateSpline(
        affine, golden['tps_control_points'], weights[:, :25], (12, 12)
    )
    field = warp.points_to_source(pixel_grid((12, 12)).expand(2, -1, -1))
    expected = golden['field/tps_inclusive'].flatten(2).transpose(1, 2)
    torch.testing.assert_close(field, expected, atol=1e-9, rtol=0)


def test_released_affine_field_as_flow_golden(golden_dir):
    """What FSE's code does to coordinates is no affine map, but it is a flow."""
    golden = load(golden_dir, 'thewlis/losses.npz')
    field = golden['field/fse_release_affine']
    cells = pixel_grid((12, 12)).expand(2, -1, -1)
    warp = FlowWarp(field - cells.transpose(1, 2).view_as(field), (12, 12))
    torch.testing.assert_close(
        warp.points_to_source(cells),
        field.flatten(2).transpose(1, 2),
        atol=1e-9,
        rtol=0,
    )


def lmdis_warp(golden, legacy_tps, legacy_grid=False):
    spline = lmdis_spline(golden['tps_offsets'], FRAME, legacy_tps, legacy_grid)
    similarity = AffineWarp(golden['similarity'], FRAME, False, legacy_grid)
    return ComposedWarp(spline, similarity)


@pytest.mark.parametrize('legacy_tps', [True, False])
def test_lmdis_points_golden(golden_dir, legacy_tps):
    golden = load(golden_dir, 'lmdis/lmdis.npz')
    warp = lmdis_warp(golden, legacy_tps)
    points = to_pixels(2 * golden['points_warped_yx'].flip(-1) - 1, FRAME, False)
    back = to_norm(warp.points_to_source(points), FRAME, False)
    expected = golden[f'points_warped_back_xy_legacy_tps={legacy_tps}']
    torch.testing.assert_close(back, expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize('released', [True, False])
def test_lmdis_spline_grid_golden(golden_dir, released):
    golden = load(golden_dir, 'lmdis/lmdis.npz')
    warp = lmdis_warp(golden, released, released).first
    grid = warp.points_to_source(pixel_grid(FRAME).expand(2, -1, -1))
    expected = golden[f'tps_grid_{"release" if released else "corrected"}']
    torch.testing.assert_close(
        to_norm(grid, FRAME, False), expected, atol=1e-9, rtol=1e-9
    )


def test_lmdis_pictures_golden(golden_dir):
    golden = load(golden_dir, 'lmdis/lmdis.npz')
    warp = lmdis_warp(golden, legacy_tps=False)
    picture = golden['picture_padded'].permute(0, 3, 1, 2)
    once = warp.first.images(picture, padding_mode='border')
    # The transcription interpolates twice, the composed warp only once.
    twice = warp.second.images(once, padding_mode='border')
    for warped, name in ((once, 'tps'), (twice, 'tps_similarity')):
        expected = golden[f'warp_corrected_{name}'].permute(0, 3, 1, 2)
        torch.testing.assert_close(warped, expected, atol=1e-9, rtol=0)


def test_lmdis_released_pictures_golden(golden_dir):
    golden = load(golden_dir, 'lmdis/lmdis.npz')
    warp = lmdis_warp(golden, legacy_tps=True, legacy_grid=True).first
    picture = golden['picture_padded'].permute(0, 3, 1, 2)
    warped = warp.images(picture, padding_mode='border')
    expected = golden['warp_release_tps'].permute(0, 3, 1, 2)
    # Beyond the last row or column the released code paints black.
    source = warp.points_to_source(pixel_grid(FRAME).expand(2, -1, -1))
    inside = (source < 23).all(-1).view(2, 1, 24, 24).expand_as(warped)
    assert inside.float().mean() > 0.8
    torch.testing.assert_close(warped[inside], expected[inside], atol=1e-9, rtol=0)
    assert (expected[~inside] == 0).float().mean() > 0.9
