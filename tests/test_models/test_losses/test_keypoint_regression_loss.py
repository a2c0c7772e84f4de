# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The distance to annotated places, of labeled images only."""

import pytest
import torch

from mmkp.models.losses import KeypointRegressionLoss
from mmkp.ops.geometry import MapGeometry

GEOMETRY = MapGeometry.cell_centers((100, 40), (10, 4))  # 100 pixels count as 1


def test_only_annotated_keypoints_count():
    found = torch.zeros(3, 2, 2, requires_grad=True)
    targets = torch.tensor(
        [[[3.0, 4.0], [999.0, 0.0]], [[0.0, 10.0], [6.0, 8.0]], [[999.0, 0.0]] * 2]
    )
    weights = torch.tensor([[1.0, 0.0], [1.0, 0.5], [0.0, 0.0]])
    loss = KeypointRegressionLoss(loss_weight=2.0)(GEOMETRY, found, targets, weights)
    assert loss.item() == pytest.approx(2 * (0.05 + 0.10 + 0.5 * 0.10) / 2.5)
    loss.backward()
    assert (found.grad.abs().sum(-1) > 0).tolist() == (weights > 0).tolist()
    # Downhill is towards the target.
    torch.testing.assert_close(
        found.grad[0, 0], torch.tensor([-0.6, -0.8]) * 2 / 2.5 / 100
    )


def test_a_batch_without_labels_gives_0_with_gradient():
    found = torch.rand(3, 2, 2, requires_grad=True)
    nothing = torch.zeros(3, 2)
    loss = KeypointRegressionLoss(loss_weight=100.0)(
        GEOMETRY, found, torch.zeros(3, 2, 2), nothing
    )
    loss.backward()
    assert loss == 0 and found.grad.abs().sum() == 0


def test_near_targets_count_as_squares_with_beta():
    found = torch.tensor([[[0.0, 0.0], [0.0, 0.0]]], requires_grad=True)
    targets = torch.tensor([[[0.0, 2.0], [0.0, 10.0]]])
    weights = torch.ones(1, 2)
    loss = KeypointRegressionLoss(beta=0.04)(GEOMETRY, found, targets, weights)
    assert loss.item() == pytest.approx((0.02**2 / 0.08 + 0.10 - 0.02) / 2)
    KeypointRegressionLoss()(GEOMETRY, found, found.detach(), weights).backward()
    assert torch.isfinite(found.grad).all()


def test_other_numbers_of_keypoints_are_told():
    with pytest.raises(ValueError, match='num_keypoints'):
        KeypointRegressionLoss()(
            GEOMETRY, torch.zeros(3, 4, 2), torch.zeros(3, 2, 2), torch.ones(3, 2)
        )
    with pytest.raises(ValueError, match='beta must not be negative'):
        KeypointRegressionLoss(beta=-1.0)
