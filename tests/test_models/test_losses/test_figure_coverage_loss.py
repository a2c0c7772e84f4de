# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints spread over the figure."""

import pytest
import torch

from mmkp.models.losses import FigureCoverageLoss
from mmkp.ops.geometry import MapGeometry

SIZE, MARGIN = 16, 2


def frames():
    """A bar of two by ten black pixels before white ground, with its padding."""
    side = SIZE + 2 * MARGIN
    images = torch.ones(1, 3, side, side)
    images[..., 9:11, 5:15] = 0
    return images, MapGeometry.cell_centers((side, side), (10, 10), (MARGIN, MARGIN))


def test_is_the_mean_square_distance_from_the_nearest_keypoint():
    images, geometry = frames()
    # From the middle: rows half a pixel away, columns .5, 1.5, ..., 4.5.
    columns = (torch.arange(5) + 0.5).square().mean()
    points = torch.tensor([[[9.5, 9.5]]])
    loss = FigureCoverageLoss(loss_weight=3.0)
    expected = 3 * (columns + 0.25) / SIZE**2
    torch.testing.assert_close(loss(images, points, geometry), expected)
    # Two share the bar; one beside it has no pixel.
    halves = torch.tensor([[[7.0, 9.5], [12.0, 9.5], [10.0, 0.0]]])
    expected = 3 * (torch.tensor(2.0) + 0.25) / SIZE**2
    torch.testing.assert_close(loss(images, halves, geometry), expected)


def test_descending_it_spreads_keypoints():
    images, geometry = frames()
    points = torch.tensor([[[9.0, 9.0], [10.0, 10.0]]], requires_grad=True)
    optimizer = torch.optim.SGD([points], lr=20.0)
    for _ in range(100):
        optimizer.zero_grad()
        FigureCoverageLoss()(images, points, geometry).backward()
        optimizer.step()
    expected = torch.tensor([[[7.0, 9.5], [12.0, 9.5]]])
    torch.testing.assert_close(points.detach(), expected, atol=0.05, rtol=0)


def test_no_figure_costs_nothing_and_tolerance_is_checked():
    images, geometry = frames()
    points = torch.zeros(1, 2, 2)
    assert FigureCoverageLoss()(torch.ones_like(images), points, geometry) == 0
    with pytest.raises(ValueError, match='tolerance must be positive, got 0'):
        FigureCoverageLoss(tolerance=0)
