"""The loss of part affinity fields equals a hand computation, mask included."""

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

from mmkp.models.losses import PartAffinityLoss
from mmkp.models.stages import StageOutputs

HEATMAPS, FIELDS = (2, 3, 4, 5), (2, 4, 4, 5)


def random_case(seed=0):
    torch.manual_seed(seed)
    outputs = StageOutputs(
        [torch.randn(HEATMAPS, requires_grad=True) for _ in range(2)],
        [torch.randn(FIELDS, requires_grad=True) for _ in range(3)],
    )
    targets = torch.rand(HEATMAPS), torch.randn(FIELDS)
    weights = torch.rand(HEATMAPS), (torch.rand(FIELDS) > 0.4).float()
    return outputs, targets, weights


def numbers(tensor):
    return tensor.detach().double().numpy()


@pytest.mark.parametrize('caffe_scaling', [False, True])
def test_every_stage_and_branch_against_a_hand_computation(caffe_scaling):
    outputs, targets, weights = random_case()
    loss = MODELS.build(
        dict(
            type='PartAffinityLoss',
            caffe_scaling=caffe_scaling,
            heatmap_weight=0.5,
            field_weight=3.0,
        )
    )
    losses = loss(outputs, *targets, *weights)
    assert sorted(losses) == [
        'loss_field_stage0', 'loss_field_stage1', 'loss_field_stage2',
        'loss_heatmap_stage0', 'loss_heatmap_stage1',
    ]  # fmt: skip
    for branch, maps, target, weight, factor in (
        ('heatmap', outputs.heatmaps, targets[0], weights[0], 0.5),
        ('field', outputs.fields, targets[1], weights[1], 3.0),
    ):
        for stage, prediction in enumerate(maps):
            difference = numbers(weight) * (numbers(prediction) - numbers(target))
            squares = difference**2
            # Caffe's EuclideanLoss: the sum over everything, divided by 2 B.
            expected = squares.sum() / 4 if caffe_scaling else squares.mean()
            value = losses[f'loss_{branch}_stage{stage}'].item()
            assert value == pytest.approx(factor * expected, rel=1e-6)


def test_a_number_computed_by_hand():
    outputs = StageOutputs(
        [torch.tensor([[[[1.0, 2.0]]], [[[0.0, 4.0]]]])], [torch.zeros(2, 2, 1, 2)]
    )
    heatmaps, fields = torch.zeros(2, 1, 1, 2), torch.full((2, 2, 1, 2), 0.5)
    weights = torch.tensor([[[[1.0, 0.5]]], [[[1.0, 0.0]]]])
    losses = PartAffinityLoss(caffe_scaling=True)(outputs, heatmaps, fields, weights)
    # (1 + (2 / 2)^2 + 0 + 0) / (2 * 2) and 8 * 0.25 / (2 * 2)
    assert losses['loss_heatmap_stage0'].item() == 0.5
    assert losses['loss_field_stage0'].item() == 0.5


def test_gradient_is_exactly_zero_where_weights_are():
    outputs, targets, weights = random_case(1)
    weights[0][:, 1] = 0
    sum(PartAffinityLoss()(outputs, *targets, *weights).values()).backward()
    for maps, weight in zip(outputs, weights, strict=True):
        for prediction in maps:
            masked = prediction.grad[weight == 0]
            assert masked.numel() > 20 and (masked == 0).all()
            assert (prediction.grad[weight > 0] != 0).all()


def test_float32_under_autocast():
    outputs, targets, weights = random_case(2)
    half = StageOutputs(*([m.to(torch.bfloat16) for m in maps] for maps in outputs))
    exact = StageOutputs(*([m.float() for m in maps] for maps in half))
    expected = PartAffinityLoss()(exact, *targets, *weights)
    with torch.autocast('cpu', torch.bfloat16):
        found = PartAffinityLoss()(half, *targets, *weights)
    for name, value in found.items():
        assert value.dtype == torch.float32
        assert value.item() == expected[name].item()


def test_no_weights_are_ones():
    outputs, targets, _ = random_case(3)
    ones = [torch.ones_like(target) for target in targets]
    plain = PartAffinityLoss()(outputs, *targets)
    weighted = PartAffinityLoss()(outputs, *targets, *ones)
    for name, value in plain.items():
        np.testing.assert_array_equal(numbers(value), numbers(weighted[name]))
