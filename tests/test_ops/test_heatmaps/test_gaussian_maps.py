"""Gaussians around keypoints, shared out with the background."""

import math

import pytest
import torch

from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.gaussian_maps import (
    gaussian_line,
    gaussian_maps,
    normalized_gaussian_maps,
)


@pytest.mark.parametrize('legacy', [False, True])
def test_equal_to_the_formula_cell_by_cell(legacy):
    keypoints = torch.tensor([[[3.2, 8.0], [11.0, -2.0]]], dtype=torch.float64)
    width, height, sigmas = 8, 4, (0.1, 0.3)
    geometry = MapGeometry.cell_centers((16, 8), (width, height))
    maps = normalized_gaussian_maps(keypoints, geometry, sigmas, legacy)
    assert maps.shape == (2, 1, 3, height, width)
    for i, sigma in enumerate(sigmas):
        for row in range(height):
            for column in range(width):
                # Cells are two pixels wide; the unit is the longer side.
                x, y = 2 * column + 0.5, 2 * row + 0.5
                density = []
                for px, py in keypoints[0].tolist():
                    d2 = ((x - px) ** 2 + (y - py) ** 2) / 16**2
                    cell = (2 / 16) ** 2
                    if legacy:
                        peak = cell**2 / (2 * math.pi * sigma**4 + 1e-6)
                        value = math.exp(-d2 * sigma**2 / (sigma**4 + 1e-6) / 2)
                    else:
                        peak = cell / (2 * math.pi * sigma**2)
                        value = math.exp(-d2 / sigma**2 / 2)
                    density.append(peak * value)
                density.append(1 / (width * height))
                expected = torch.tensor(density, dtype=torch.float64) / sum(density)
                torch.testing.assert_close(maps[i, 0, :, row, column], expected)


def test_keypoints_far_outside_leave_the_background():
    keypoints = torch.tensor([[[1e4, -1e4]]], requires_grad=True)
    geometry = MapGeometry.cell_centers((16, 16), (16, 16))
    maps = normalized_gaussian_maps(keypoints, geometry, (0.1,))
    torch.testing.assert_close(maps[0, 0, 1], torch.ones(16, 16))
    maps.square().sum().backward()
    assert keypoints.grad.isfinite().all()


@pytest.mark.parametrize('legacy', [False, True])
def test_gradient(legacy):
    keypoints = torch.rand(1, 2, 2, dtype=torch.float64) * 6
    keypoints.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda points: normalized_gaussian_maps(
            points, MapGeometry.cell_centers((6, 6), (5, 6)), (0.2, 0.4), legacy
        ),
        (keypoints,),
    )


def test_half_precision_is_lifted():
    geometry = MapGeometry.cell_centers((8, 8), (8, 8))
    maps = normalized_gaussian_maps(torch.zeros(1, 1, 2).half(), geometry, (0.2,))
    assert maps.dtype == torch.float32


@pytest.mark.parametrize('dtype', [torch.float64, torch.float16])
def test_plain_gaussians_are_the_exponential_at_each_cell(dtype):
    keypoints = torch.tensor([[[5.0, 9.0], [20.5, 3.25]]], dtype=dtype)
    maps = gaussian_maps(
        keypoints, MapGeometry.cell_centers((32, 24), (8, 12)), sigma=3.0
    )
    assert maps.shape == (1, 2, 12, 8) and maps.dtype in (torch.float32, torch.float64)
    for k, (x, y) in enumerate(keypoints[0].double().tolist()):
        for row in range(12):
            for column in range(8):
                # Cells of 4 x 2 pixels, pixel centers at integers.
                dx, dy = 4 * column + 1.5 - x, 2 * row + 0.5 - y
                expected = math.exp(-(dx**2 + dy**2) / (2 * 9))
                assert maps[0, k, row, column].item() == pytest.approx(expected, 1e-5)


def test_a_line_may_run_past_its_centre_or_stop_before():
    line = gaussian_line(torch.tensor([1, 6]), 4, 2.0)
    expected = [[math.exp(-((i - c) ** 2) / 8) for i in range(4)] for c in (1, 6)]
    assert line.dtype == torch.float64
    torch.testing.assert_close(line, line.new_tensor(expected))
    assert gaussian_line(torch.tensor(1), 4, 2.0, torch.float32).dtype == torch.float32
