# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Maps of an image and of its warp, compared in the image."""

import pytest
import torch
from mmpose.registry import MODELS
from warps import make_warp, paint_dot

from mmkp.models.losses import MapEquivarianceLoss
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.warps.affine import AffineWarp
from mmkp.ops.warps.samplers import STABLE_KEYPOINTS, random_affine_warp

IMAGE_SIZE = (64, 48)
EIGHT = MapGeometry.cell_centers(IMAGE_SIZE, (8, 8))
# Two cells of 8 to the right and one up: the view at x shows the image at x + 2 cells.
SHIFT = [[1.0, 0.0, 0.5], [0.0, 1.0, -0.25]]


def affine_warp(rows, batch=1):
    matrix = torch.tensor(rows, dtype=torch.float64).expand(batch, 2, 3)
    return AffineWarp(matrix, IMAGE_SIZE, align_corners=False)


def random_maps(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def test_what_the_second_view_does_not_show_counts_as_0():
    maps, warped = (random_maps(2, 3, 8, 8, seed=seed) for seed in range(2))
    back = torch.zeros_like(maps)
    back[:, :, :7, 2:] = warped[:, :, 1:, :6]
    loss = MapEquivarianceLoss(loss_weight=3.0)(
        maps, warped, affine_warp(SHIFT, 2), EIGHT
    )
    expected = 3 * (maps - back).square().mean()
    assert float(loss) == pytest.approx(float(expected), rel=1e-12)


def test_the_published_weight_is_the_default():
    loss = MODELS.build({'type': 'MapEquivarianceLoss'})
    assert loss.inputs == (
        'token_maps',
        'warped_token_maps',
        'warp',
        'geometry',
    )
    maps, warped = (random_maps(1, 3, 8, 8, seed=seed) for seed in range(2))
    arguments = (maps, warped, affine_warp(SHIFT), EIGHT)
    one = MapEquivarianceLoss(loss_weight=1.0)
    assert float(loss(*arguments)) == pytest.approx(1000 * float(one(*arguments)))


@pytest.mark.parametrize('align_corners', [False, True])
def test_maps_that_move_with_the_image_have_next_to_no_loss(align_corners):
    options = {**STABLE_KEYPOINTS, 'align_corners': align_corners}
    warp = random_affine_warp(
        1,
        (256, 192),
        **options,
        generator=torch.Generator().manual_seed(0),
        dtype=torch.float64,
    )
    center, stride = torch.tensor([[[130.0, 90.0]]], dtype=torch.float64), 4
    seen = warp.inverse().points_to_source(center)
    size = (256 // stride, 192 // stride)
    image, second = (
        paint_dot((point[0, 0] + 0.5) / stride - 0.5, size, 4.0)
        for point in (center, seen)
    )
    loss = MapEquivarianceLoss(loss_weight=1.0)
    geometry = MapGeometry.cell_centers((256, 192), size)
    moved = loss(image, second, warp, geometry)
    # What is left is the scale of the dot, which the warp changes and the paint not.
    assert moved < 0.05 * loss(image, image, warp, geometry)


def test_gradients_of_both_views_are_exact():
    warp = make_warp('fse', IMAGE_SIZE, seed=1)
    maps = [random_maps(1, 2, 4, 5, seed=seed).requires_grad_() for seed in range(2)]
    loss = MapEquivarianceLoss()
    geometry = MapGeometry.cell_centers(IMAGE_SIZE, (5, 4))
    assert torch.autograd.gradcheck(lambda a, b: loss(a, b, warp, geometry), maps)
    gradients = torch.autograd.grad(loss(*maps, warp, geometry), maps)
    assert all(gradient.abs().max() > 1 for gradient in gradients)


def test_half_precision_and_autocast_do_not_move_maps():
    warp = make_warp('fse', (256, 192), seed=2)
    warp = AffineWarp(warp.affine.float(), (256, 192))
    maps, warped = (random_maps(1, 2, 96, 128, seed=seed).half() for seed in range(2))
    loss, place = (
        MapEquivarianceLoss(),
        (warp, MapGeometry.cell_centers((256, 192), (128, 96))),
    )
    expected = loss(maps.float(), warped.float(), *place)
    assert loss(maps, warped, *place).dtype == torch.float32
    torch.testing.assert_close(loss(maps, warped, *place), expected)
    with torch.autocast('cpu', torch.bfloat16):
        torch.testing.assert_close(loss(maps, warped, *place), expected)


@pytest.mark.parametrize(
    ('kind', 'name'), [('imm_target', 'ThinPlateSpline'), ('flow', 'FlowWarp')]
)
def test_a_warp_that_is_not_affine_is_refused(kind, name):
    maps = random_maps(1, 2, 8, 8)
    with pytest.raises(ValueError, match=f'through a {name}.*use RandomAffineWarp'):
        MapEquivarianceLoss()(maps, maps, make_warp(kind, IMAGE_SIZE), EIGHT)
