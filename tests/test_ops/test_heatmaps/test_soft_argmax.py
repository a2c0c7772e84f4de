"""Softmax over space and its expectation, against closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.ops.heatmaps.soft_argmax import (
    cell_positions,
    cover_image,
    mass_near_keypoints,
    soft_argmax,
    spatial_softmax,
)


def peaked(row: int, column: int, height: int = 8, width: int = 12) -> torch.Tensor:
    logits = torch.full((1, 1, height, width), -1e4)
    logits[0, 0, row, column] = 0
    return spatial_softmax(logits)


@pytest.mark.parametrize(
    ('grid', 'expected'),
    [
        ('inclusive', (5 * 47 / 11, 2 * 31 / 7)),
        ('cell_centres', (5.5 * 4 - 0.5, 2.5 * 4 - 0.5)),
        ({'first': 7.5, 'spacing': 3}, (7.5 + 5 * 3, 7.5 + 2 * 3)),
    ],
)
def test_expectation_of_one_cell_is_its_position(grid, expected):
    keypoints = soft_argmax(peaked(2, 5), (48, 32), grid)
    assert keypoints.shape == (1, 1, 2)
    np.testing.assert_allclose(keypoints[0, 0], expected, rtol=1e-6)


def test_inclusive_grid_reaches_first_and_last_pixel_centre():
    positions = cell_positions(32, 128, 'inclusive', torch.zeros(()))
    assert positions[0] == 0
    assert positions[-1] == 127
    assert cell_positions(1, 9, 'inclusive', torch.zeros(())).item() == 4


def test_softmax_is_float32_under_autocast_and_sums_to_one():
    logits = 30 * torch.randn(2, 3, 5, 7)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        probabilities = spatial_softmax(logits.bfloat16())
    assert probabilities.dtype == torch.float32
    torch.testing.assert_close(probabilities.sum((-2, -1)), torch.ones(2, 3))
    assert spatial_softmax(logits.double()).dtype == torch.float64


def test_unknown_grid_is_refused():
    with pytest.raises(ValueError, match="got 'middle'"):
        soft_argmax(peaked(0, 0), (8, 8), 'middle')


@pytest.mark.parametrize(
    'grid', [{'first': 1}, {'first': 1, 'spacing': 0}, {'first': 1, 'stride': 2}]
)
def test_incomplete_grids_are_refused(grid):
    with pytest.raises(ValueError, match='first=..., spacing=...'):
        cell_positions(4, 8, grid, torch.zeros(()))


def test_maps_of_the_inner_part_are_padded_to_the_image():
    grid = {'first': 22.5, 'spacing': 2}
    covering = cover_image(torch.ones(2, 42, 40), (128, 126), grid)
    assert covering.shape == (2, 63, 64)
    x = cell_positions(64, 128, 'cell_centres', torch.zeros(()))
    assert x[11] == 22.5 and covering[0, 11, 10:12].tolist() == [0, 1]
    assert covering.sum() == 2 * 42 * 40
    maps = torch.rand(1, 3, 4)
    assert cover_image(maps, (16, 12), 'inclusive') is maps


def test_score_is_one_for_a_peak_and_the_covered_share_for_a_flat_map():
    sharp = peaked(2, 5)
    point = soft_argmax(sharp, (48, 32))
    assert mass_near_keypoints(sharp, point, (48, 32), 2.0).item() == pytest.approx(1)
    flat = spatial_softmax(torch.zeros(1, 1, 41, 41))
    point = soft_argmax(flat, (41, 41))
    covered = mass_near_keypoints(flat, point, (41, 41), 10.0).item()
    assert covered == pytest.approx(np.pi * 10**2 / 41**2, rel=0.03)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 10**6))
def test_keypoints_stay_inside_the_image(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 5 * torch.randn(1, 4, height, width, generator=generator)
    for grid in ('inclusive', 'cell_centres'):
        keypoints = soft_argmax(spatial_softmax(logits), (64, 48), grid)
        assert (keypoints >= -1e-4).all()
        assert (keypoints <= torch.tensor([63.0, 47.0]) + 1e-4).all()


def test_gradient_of_keypoints_is_exact():
    logits = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda scores: soft_argmax(spatial_softmax(scores), (20, 16)), (logits,)
    )
