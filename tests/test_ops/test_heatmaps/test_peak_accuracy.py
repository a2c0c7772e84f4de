# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Accuracy of peaks against MMPose's."""

import pytest
import torch
from mmpose.evaluation import pose_pck_accuracy

from mmkp.ops.heatmaps.peak_accuracy import peak_accuracy
from mmkp.testing.dispatch_counter import DispatchCounter


@pytest.mark.parametrize('size', [(24, 24), (60, 60), (22, 30)])
@pytest.mark.parametrize('seed', [0, 1])
def test_is_that_of_mmpose(size, seed, device_form):
    generator = torch.Generator().manual_seed(seed)
    targets = torch.rand(6, 5, *size, generator=generator)
    near = torch.roll(targets, 1, 2)
    far = torch.rand(6, 5, *size, generator=generator)
    maps = torch.where(torch.rand(6, 5, 1, 1, generator=generator) < 0.5, near, far)
    maps[0, 0], targets[1, 1] = -1, 0  # nothing above 0
    weights = (torch.rand(6, 5, generator=generator) < 0.7).float()
    weights[:, 4] = 0
    tensors = [t.to(device_form) for t in (maps, targets, weights)]
    with DispatchCounter() as counter:
        found = peak_accuracy(*tensors)
    _, expected, _ = pose_pck_accuracy(
        maps.numpy(), targets.numpy(), weights.numpy() > 0
    )
    assert 0 < expected < 1
    assert found.item() == pytest.approx(expected, rel=1e-6)
    assert not counter.synchronizations


def test_nothing_counts():
    maps = torch.rand(2, 3, 4, 4)
    assert peak_accuracy(maps, maps, torch.zeros(2, 3)) == 0
    assert peak_accuracy(maps, maps, torch.ones(2, 3)) == 1
