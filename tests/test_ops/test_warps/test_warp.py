"""Warps move points and images consistently."""

import pytest
import torch

from mmkp.ops.warps.thin_plate_spline import ThinPlateSpline, random_thin_plate_spline


def paint_dot(point: torch.Tensor, size: tuple[int, int], sigma: float = 3.0):
    x = torch.arange(size[0], dtype=torch.float64)
    y = torch.arange(size[1], dtype=torch.float64)[:, None]
    squared = (x - point[0]) ** 2 + (y - point[1]) ** 2
    return torch.exp(-squared / (2 * sigma**2))[None, None]


def centroid(image: torch.Tensor) -> torch.Tensor:
    weights = image[0, 0] / image.sum()
    y, x = torch.meshgrid(
        torch.arange(image.shape[-2], dtype=image.dtype),
        torch.arange(image.shape[-1], dtype=image.dtype),
        indexing='ij',
    )
    return torch.stack(((weights * x).sum(), (weights * y).sum()))


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('size', [(96, 96), (120, 72)])
def test_painted_dot_lands_where_its_point_lands(seed, size):
    generator = torch.Generator().manual_seed(seed)
    warp = random_thin_plate_spline(
        1, size, local_std=0.005, translation_std=0.03, generator=generator
    )
    warp.affine = warp.affine.double()
    warp.control_points = warp.control_points.double()
    warp.coefficients = warp.coefficients.double()
    target = torch.tensor([[size[0] * 0.45, size[1] * 0.55]], dtype=torch.float64)
    source = warp.points_to_source(target[None])[0]
    dot = warp.images(paint_dot(source[0], size), padding_mode='zeros')
    # The warp may shear a dot, but its peak stays where the point is.
    peak = centroid(dot**4)
    assert torch.linalg.norm(peak - target[0]) < 0.05


def test_zero_coefficients_are_the_identity():
    affine = torch.eye(2, 3)[None]
    warp = ThinPlateSpline(affine, torch.rand(4, 2), torch.zeros(1, 4, 2), (20, 14))
    points = torch.rand(1, 9, 2) * torch.tensor([19.0, 13.0])
    torch.testing.assert_close(warp.points_to_source(points), points)
    images = torch.rand(1, 3, 14, 20)
    torch.testing.assert_close(warp.images(images), images, atol=2e-5, rtol=0)


def test_rotation_keeps_distances_in_non_square_images():
    generator = torch.Generator().manual_seed(3)
    warp = random_thin_plate_spline(
        1, (101, 51), local_std=0, scale_std=0, rotation_std=40, generator=generator
    )
    points = torch.rand(1, 20, 2) * torch.tensor([100.0, 50.0])
    moved = warp.points_to_source(points)
    torch.testing.assert_close(
        torch.cdist(moved, moved), torch.cdist(points, points), atol=2e-3, rtol=1e-4
    )


def test_same_generator_gives_the_same_warp():
    warps = [
        random_thin_plate_spline(2, (9, 9), generator=torch.Generator().manual_seed(5))
        for _ in range(2)
    ]
    assert torch.equal(warps[0].coefficients, warps[1].coefficients)
    assert torch.equal(warps[0].affine, warps[1].affine)


def test_gradient_with_respect_to_points_is_exact():
    warp = ThinPlateSpline(
        torch.randn(1, 2, 3, dtype=torch.float64),
        torch.randn(5, 2, dtype=torch.float64),
        torch.randn(1, 5, 2, dtype=torch.float64),
        (11, 8),
    )
    points = (10 * torch.rand(1, 4, 2, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(warp.points_to_source, (points,))
