"""Softmax over space and its expectation, against closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.ops.geometry import ALIGNMENTS, MapGeometry
from mmkp.ops.heatmaps.soft_argmax import (
    mass_near_keypoints,
    soft_argmax,
    spatial_softmax,
)


def peaked(row: int, column: int, height: int = 8, width: int = 12) -> torch.Tensor:
    logits = torch.full((1, 1, height, width), -1e4)
    logits[0, 0, row, column] = 0
    return spatial_softmax(logits)


SIZES = ((48, 32), (12, 8))


@pytest.mark.parametrize(
    ('geometry', 'expected'),
    [
        (MapGeometry.inclusive(*SIZES), (5 * 47 / 11, 2 * 31 / 7)),
        (MapGeometry.cell_centers(*SIZES), (5.5 * 4 - 0.5, 2.5 * 4 - 0.5)),
        (MapGeometry.strided(*SIZES, 7.5, 3), (7.5 + 5 * 3, 7.5 + 2 * 3)),
    ],
)
def test_expectation_of_one_cell_is_its_position(geometry, expected):
    keypoints = soft_argmax(peaked(2, 5), geometry)
    assert keypoints.shape == (1, 1, 2)
    np.testing.assert_allclose(keypoints[0, 0], expected, rtol=1e-6)


def test_softmax_is_float32_under_autocast_and_sums_to_one():
    logits = 30 * torch.randn(2, 3, 5, 7)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        probabilities = spatial_softmax(logits.bfloat16())
    assert probabilities.dtype == torch.float32
    torch.testing.assert_close(probabilities.sum((-2, -1)), torch.ones(2, 3))
    assert spatial_softmax(logits.double()).dtype == torch.float64


def test_score_is_one_for_a_peak_and_the_covered_share_for_a_flat_map():
    sharp = peaked(2, 5)
    geometry = MapGeometry.inclusive(*SIZES)
    point = soft_argmax(sharp, geometry)
    assert mass_near_keypoints(sharp, point, geometry, 2.0).item() == pytest.approx(1)
    flat = spatial_softmax(torch.zeros(1, 1, 41, 41))
    geometry = MapGeometry.inclusive((41, 41), (41, 41))
    point = soft_argmax(flat, geometry)
    covered = mass_near_keypoints(flat, point, geometry, 10.0).item()
    assert covered == pytest.approx(np.pi * 10**2 / 41**2, rel=0.03)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 10**6))
def test_keypoints_stay_inside_the_image(height, width, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 5 * torch.randn(1, 4, height, width, generator=generator)
    for alignment in ALIGNMENTS:
        geometry = MapGeometry.aligned(alignment, (64, 48), (width, height))
        keypoints = soft_argmax(spatial_softmax(logits), geometry)
        assert (keypoints >= -1e-4).all()
        assert (keypoints <= torch.tensor([63.0, 47.0]) + 1e-4).all()


def test_gradient_of_keypoints_is_exact():
    logits = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda scores: soft_argmax(
            spatial_softmax(scores), MapGeometry.inclusive((20, 16), (5, 4))
        ),
        (logits,),
    )
