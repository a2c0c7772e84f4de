# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every sampled warp moves points and pictures alike, and is drawn as it says."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from warps import KINDS, centroid, make_warp, paint_dot, similarity

from mmkp.ops.warps.affine import AffineWarp
from mmkp.ops.warps.samplers import (
    FSE_FIRST,
    IMM_TARGET,
    lmdis_spline,
    random_affine_warp,
    random_lmdis_warp,
    rotation_scale_shift,
)
from mmkp.ops.warps.thin_plate_kernel import thin_plate_kernel
from mmkp.ops.warps.thin_plate_spline import ThinPlateSpline, random_thin_plate_spline
from mmkp.ops.warps.warp import ComposedWarp, Warp, to_norm

SIZE = (128, 112)


@pytest.mark.parametrize('kind', KINDS)
def test_painted_dot_lands_where_its_point_lands(kind):
    for seed in range(2):
        warp = make_warp(kind, SIZE, seed)
        target = torch.tensor([0.45 * SIZE[0] + seed, 0.55 * SIZE[1]]).double()
        source = warp.points_to_source(target[None, None])[0, 0]
        assert (source > 10).all()
        assert (source < torch.tensor(SIZE) - 11).all()
        dot = warp.images(paint_dot(source, SIZE), padding_mode='zeros')
        # A curved warp bends a dot, but its peak stays where the point is.
        peak = centroid(dot**4)
        assert torch.linalg.norm(peak - target) < 0.05, seed


def test_legacy_grid_enlarges_the_identity():
    affine = torch.eye(2, 3, dtype=torch.float64)[None]
    warp = AffineWarp(affine, (24, 24), align_corners=False, legacy_grid=True)
    points = torch.tensor([[[0.0, 11.5], [23.0, 1.0]]], dtype=torch.float64)
    expected = torch.tensor([[[-0.5, 11.5], [23.5, 24 / 23 - 0.5]]]).double()
    torch.testing.assert_close(warp.points_to_source(points), expected)


IDENTITIES = {
    'imm_target': lambda size: random_thin_plate_spline(
        2,
        size,
        **{
            **IMM_TARGET,
            'local_std': 0.0,
            'sparse_std': 0.0,
            'translation_std': 0.0,
        },
    ),
    'lmdis': lambda size: random_lmdis_warp(
        2, size, offset_std=0, rotation_std=0, scale_std=0, translation_range=0
    ),
    'fse': lambda size: random_affine_warp(
        2,
        size,
        rotation_range=0,
        scale_range=(1, 1),
        stretch_std=0,
        translation_std=0,
    ),
}


@pytest.mark.parametrize('kind', IDENTITIES)
def test_a_warp_that_draws_nothing_is_the_identity(kind):
    warp = IDENTITIES[kind]((20, 14))
    points = torch.rand(2, 9, 2) * torch.tensor([19.0, 13.0])
    torch.testing.assert_close(warp.points_to_source(points), points, atol=2e-5, rtol=0)
    images = torch.rand(2, 3, 14, 20)
    torch.testing.assert_close(warp.images(images), images, atol=3e-5, rtol=0)


@pytest.mark.parametrize('kind', KINDS)
def test_gradients_are_exact(kind):
    warp = make_warp(kind, (5, 4), seed=1, batch=2)
    generator = torch.Generator().manual_seed(2)
    points = 1 + 2 * torch.rand(2, 2, 2, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(warp.points_to_source, points.requires_grad_())
    images = torch.rand(2, 1, 4, 5, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(warp.images, images.requires_grad_())


def test_gradients_with_respect_to_a_spline_are_exact():
    spline = random_thin_plate_spline(
        1,
        (5, 4),
        control_grid=3,
        kernel='shifted',
        dtype=torch.float64,
        generator=torch.Generator().manual_seed(3),
    )
    images = torch.rand(1, 1, 4, 5, dtype=torch.float64)
    points = 3 * torch.rand(1, 2, 2, dtype=torch.float64)

    def warped(affine, coefficients):
        warp = dataclasses.replace(spline, affine=affine, coefficients=coefficients)
        return warp.images(images), warp.points_to_source(points)

    parameters = (spline.affine, spline.coefficients)
    assert torch.autograd.gradcheck(warped, [p.requires_grad_() for p in parameters])


def part(warp: Warp, index: int) -> Warp:
    """The warp of one image of the batch."""
    if isinstance(warp, ComposedWarp):
        return ComposedWarp(part(warp.first, index), part(warp.second, index))
    changes = {
        field.name: value[index : index + 1]
        for field in dataclasses.fields(warp)
        if isinstance(value := getattr(warp, field.name), torch.Tensor)
        and field.name != 'control_points'
    }
    return dataclasses.replace(warp, **changes)


@pytest.mark.parametrize('kind', KINDS)
def test_a_batch_of_warps_is_the_single_warps(kind):
    size = (24, 18)
    warp = make_warp(kind, size, seed=4, batch=3)
    points = 15 * torch.rand(3, 5, 2, dtype=torch.float64)
    images = torch.rand(3, 2, 18, 24, dtype=torch.float64)
    moved, warped = warp.points_to_source(points), warp.images(images)
    assert (moved[0] - warp.points_to_source(points[:1].expand(3, -1, -1))[1]).any()
    for index in range(3):
        single, here = part(warp, index), slice(index, index + 1)
        torch.testing.assert_close(single.points_to_source(points[here]), moved[here])
        torch.testing.assert_close(single.images(images[here]), warped[here])


@pytest.mark.parametrize('kind', ['dve', 'imm_target', 'composed'])
def test_points_shared_by_all_images_are_moved_like_any_others(kind):
    warp = make_warp(kind, (24, 18), seed=7, batch=3)
    shared = 15 * torch.rand(1, 5, 2, dtype=torch.float64)
    moved = warp.points_to_source(shared.expand(3, -1, -1))
    each = warp.points_to_source(shared.repeat(3, 1, 1))
    torch.testing.assert_close(moved, each, atol=1e-12, rtol=0)
    torch.testing.assert_close(warp.points_to_source(shared), each)
    # One warp for many images.
    single = part(warp, 0)
    moved = single.points_to_source(shared.expand(3, -1, -1))
    torch.testing.assert_close(moved, each[:1].expand(3, -1, -1))


@pytest.mark.parametrize('kind', [k for k in KINDS if k != 'flow'])
def test_a_generator_repeats_warps_and_float32_is_the_default(kind):
    first, second = (make_warp(kind, (9, 9), seed=5, batch=2) for _ in range(2))
    points = 8 * torch.rand(2, 4, 2, dtype=torch.float64)
    moved = first.points_to_source(points)
    assert torch.equal(moved, second.points_to_source(points))
    other = make_warp(kind, (9, 9), seed=6, batch=2)
    assert not torch.equal(moved, other.points_to_source(points))
    assert first.dtype == torch.float64


@pytest.mark.parametrize(
    'sampler', [random_thin_plate_spline, random_affine_warp, random_lmdis_warp]
)
def test_warps_are_float32_unless_asked_otherwise(sampler):
    warp = sampler(2, (8, 8))
    assert warp.dtype == torch.float32
    assert warp.points_to_source(torch.zeros(2, 1, 2)).dtype == torch.float32


seeds = st.integers(0, 2**31)
names = st.sampled_from(KINDS)


@settings(max_examples=15, deadline=None)
@given(st.tuples(names, names, names), st.tuples(seeds, seeds, seeds))
def test_composition_associates(kinds, drawn):
    size = (16, 12)
    a, b, c = (make_warp(k, size, s) for k, s in zip(kinds, drawn, strict=True))
    points = torch.rand(1, 6, 2, dtype=torch.float64) * 10
    left = ComposedWarp(ComposedWarp(a, b), c).points_to_source(points)
    right = ComposedWarp(a, ComposedWarp(b, c)).points_to_source(points)
    torch.testing.assert_close(left, right)
    one_by_one = a.points_to_source(b.points_to_source(c.points_to_source(points)))
    torch.testing.assert_close(left, one_by_one)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-180, 180),
    st.floats(0.2, 5),
    st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
    st.tuples(st.integers(2, 300), st.integers(2, 300)),
    st.booleans(),
)
def test_similarity_keeps_ratios_of_distances(degrees, scale, shift, size, inclusive):
    extent = (size[0] - 1, size[1] - 1) if inclusive else size
    matrix = rotation_scale_shift(*similarity(degrees, scale, shift), extent)
    warp = AffineWarp(matrix, size, align_corners=inclusive)
    points = torch.rand(1, 5, 2, dtype=torch.float64) * torch.tensor(size)
    moved = warp.points_to_source(points)
    torch.testing.assert_close(
        torch.cdist(moved, moved), scale * torch.cdist(points, points)
    )


def test_corrected_spline_reaches_its_control_points_and_the_released_one_does_not():
    offsets = 0.1 * torch.randn(2, 49, 2, dtype=torch.float64)
    for legacy_tps in (False, True):
        warp = lmdis_spline(offsets, (70, 70), legacy_tps)
        centers = 10 * torch.arange(7, dtype=torch.float64) + 4.5
        points = torch.cartesian_prod(centers, centers).flip(-1).expand(2, -1, -1)
        moved = to_norm(warp.points_to_source(points), (70, 70), False)
        miss = (moved - to_norm(points, (70, 70), False) - offsets).abs().max()
        assert (miss > 0.05) if legacy_tps else (miss < 1e-10)


def test_offsets_must_form_a_square():
    with pytest.raises(ValueError, match='48 offsets are no square grid'):
        lmdis_spline(torch.zeros(1, 48, 2), (8, 8))


def test_lmdis_draws_shift_rotation_and_scale_as_published():
    generator = torch.Generator().manual_seed(0)
    warp = random_lmdis_warp(3000, (96, 96), generator=generator)
    matrix = warp.second.affine
    shift = matrix[:, :, 2]
    assert 0.29 < shift.abs().max() <= 0.3
    assert shift.std() == pytest.approx(0.3 / math.sqrt(3), rel=0.03)
    scale = torch.linalg.norm(matrix[:, :, 0], dim=-1)
    assert scale.log().std() == pytest.approx(math.log(1.25), rel=0.04)
    angle = torch.rad2deg(torch.atan2(matrix[:, 1, 0], matrix[:, 0, 0]))
    assert angle.std() == pytest.approx(10, rel=0.04)


def test_fse_draws_as_its_code_does():
    generator = torch.Generator().manual_seed(0)
    options = {'generator': generator, 'dtype': torch.float64}
    second = random_affine_warp(4096, (64, 64), **options).affine
    scale = torch.linalg.norm(second[:, :, 0], dim=-1)
    assert 0.7 <= scale.min() < 0.705
    assert 1.195 < scale.max() <= 1.2
    angle = torch.atan2(second[:, 1, 0], second[:, 0, 0])
    assert 0.495 < angle.abs().max() <= 0.5
    assert second[:, :, 2].std() == pytest.approx(0.1, rel=0.03)
    stretch = torch.linalg.det(second[:, :, :2]) / scale - scale
    assert stretch.std() == pytest.approx(0.1, rel=0.04)
    first = random_affine_warp(4096, (64, 64), **FSE_FIRST, **options).affine
    assert not first[:, :, 2].any()
    scale = torch.linalg.norm(first[:, :, 0], dim=-1)
    assert 0.8 <= scale.min() < 0.805
    assert 1.095 < scale.max() <= 1.1


def test_imm_draws_coefficients_with_and_without_a_larger_part():
    generator = torch.Generator().manual_seed(0)
    target = random_thin_plate_spline(64, (8, 8), **IMM_TARGET, generator=generator)
    assert target.coefficients.shape == (64, 100, 2)
    # Half have variance a^2, half a^2 + b^2.
    expected = math.sqrt(0.001**2 + 0.005**2 / 2)
    assert target.coefficients.std() == pytest.approx(expected, rel=0.04)
    torch.testing.assert_close(target.affine[:, :, :2], torch.eye(2).expand(64, -1, -1))


def test_warps_of_different_sizes_cannot_be_composed():
    a, b = (make_warp('fse', size) for size in ((8, 8), (8, 9)))
    with pytest.raises(ValueError, match='use one image size'):
        ComposedWarp(a, b)


def test_unknown_kernel_is_refused():
    points = torch.zeros(1, 1, 2)
    with pytest.raises(ValueError, match="'cubic', must be one of"):
        thin_plate_kernel(points, points[0], 'cubic')


def test_an_image_one_pixel_wide_stays_finite():
    affine = torch.eye(2, 3)[None]
    warp = ThinPlateSpline(affine, torch.rand(4, 2), torch.zeros(1, 4, 2), (1, 5))
    images = torch.rand(1, 3, 5, 1)
    torch.testing.assert_close(warp.images(images), images, atol=1e-6, rtol=0)
