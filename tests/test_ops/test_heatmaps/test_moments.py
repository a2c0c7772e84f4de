"""Moments of distributions, against their definitions and golden numbers."""

import math

import numpy as np
import pytest
import torch

from mmkp.ops.heatmaps.moments import (
    expected_squared_distance,
    spatial_entropy,
    spatial_mean_and_deviation,
    squared_pair_distances,
)
from mmkp.ops.heatmaps.soft_argmax import spatial_softmax


def random_maps(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spatial_softmax(2 * torch.randn(shape, generator=generator).double())


X, Y = torch.arange(5.0).double() * 3 - 1, torch.arange(4.0).double() * 2


def test_moments_equal_those_of_samples_with_these_frequencies():
    counts = torch.tensor([[0, 3, 1, 0, 2], [1, 0, 4, 0, 0], [0] * 5, [2, 2, 0, 1, 5]])
    maps = (counts.double() / counts.sum())[None, None]
    rows, columns = (n.repeat_interleave(counts.view(-1)) for n in _cells())
    x, y = X[columns].numpy(), Y[rows].numpy()
    mean, deviation = spatial_mean_and_deviation(maps, X, Y)
    np.testing.assert_allclose(mean[0, 0], [x.mean(), y.mean()], rtol=1e-12)
    np.testing.assert_allclose(deviation[0, 0], [x.std(), y.std()], rtol=1e-12)


def _cells():
    rows, columns = torch.meshgrid(torch.arange(4), torch.arange(5), indexing='ij')
    return rows.reshape(-1), columns.reshape(-1)


def test_deviation_golden(golden_dir):
    with np.load(golden_dir / 'lmdis' / 'lmdis.npz') as golden:
        maps = torch.from_numpy(golden['maps_main'])[..., :5].permute(0, 3, 1, 2)
        maps = maps / (maps.sum((-2, -1), keepdim=True) + 1e-6)
        places = (torch.arange(24).double() + 0.5) / 24
        mean, deviation = spatial_mean_and_deviation(maps, places, places)
        for found, name in (
            (mean.flip(-1), 'points_main_yx'),
            (deviation.flip(-1), 'sd_main_yx'),
            (deviation.mean(-1), 'sigma_main'),
        ):
            np.testing.assert_allclose(found, golden[name], rtol=1e-9)


def test_a_narrow_map_far_from_the_origin_keeps_its_deviation_in_float32():
    maps = torch.zeros(1, 1, 4, 5)
    maps[0, 0, 1, 2:4] = 0.5
    x = 4096 + torch.arange(5.0)
    _, deviation = spatial_mean_and_deviation(maps, x, Y.float())
    assert deviation[0, 0, 0].item() == pytest.approx(0.5, rel=1e-6)


def test_gradients_are_finite_where_a_map_has_a_single_cell():
    logits = torch.full((1, 1, 4, 5), -1e4)
    logits[0, 0, 1, 2] = 0
    logits.requires_grad_()
    maps = spatial_softmax(logits)
    _, deviation = spatial_mean_and_deviation(maps, X.float(), Y.float())
    (deviation.sum() + spatial_entropy(maps).sum()).backward()
    assert torch.isfinite(logits.grad).all()
    assert deviation.max() < 1e-6
    assert spatial_entropy(maps).item() == pytest.approx(0, abs=1e-6)


def test_entropy_of_a_uniform_map_and_of_a_wide_gaussian():
    assert spatial_entropy(torch.full((1, 1, 4, 8), 1 / 32)).item() == pytest.approx(
        math.log(32)
    )
    assert spatial_entropy(torch.full((4, 8), 1 / 32), True).item() == pytest.approx(1)
    square = (torch.arange(64) - 31.5).double().square() / (2 * 5.0**2)
    gaussian = spatial_softmax(-(square[:, None] + square)[None, None])
    expected = math.log(2 * math.pi * math.e * 5.0**2)
    assert spatial_entropy(gaussian).item() == pytest.approx(expected, rel=1e-6)


def test_weighted_expected_distance_equals_the_double_sum():
    p, q = (
        random_maps(2, 3, 4, 5).flatten(2),
        random_maps(2, 3, 4, 5, seed=1).flatten(2),
    )
    generator = torch.Generator().manual_seed(2)
    u, v = torch.randn(20, 2, generator=generator).double(), torch.randn(2, 20, 2)
    weights = torch.rand(2, 20, generator=generator).double()
    squared = (u[None, :, None] - v[:, None].double()).square().sum(-1)
    expected = torch.einsum('bku,buv,bkv,bv->bk', p, squared, q, weights)
    total, weight = expected_squared_distance(p, u, q, v.double(), weights)
    torch.testing.assert_close(total, expected)
    torch.testing.assert_close(weight, torch.einsum('bkv,bv->bk', q, weights))


def test_gradients_are_exact():
    logits = torch.randn(2, 1, 2, 4, 5, dtype=torch.float64, requires_grad=True)

    def everything(logits):
        p, q = spatial_softmax(logits[0]), spatial_softmax(logits[1])
        mean, deviation = spatial_mean_and_deviation(p, X, Y)
        u = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)).double()
        distance, _ = expected_squared_distance(
            p.flatten(2), u, q.flatten(2), u.flip(0)[None]
        )
        return (
            deviation,
            spatial_entropy(q, True),
            distance,
            squared_pair_distances(mean),
        )

    assert torch.autograd.gradcheck(everything, (logits,))


def test_nothing_is_rounded_to_half_under_autocast():
    p, q = random_maps(1, 2, 16, 16).float(), random_maps(1, 2, 16, 16, seed=1).float()
    x = torch.arange(16.0)
    u = torch.rand(256, 2)

    def everything():
        return (
            *spatial_mean_and_deviation(p, x, x),
            spatial_entropy(p),
            *expected_squared_distance(p.flatten(2), u, q.flatten(2), u[None]),
        )

    expected = everything()
    with torch.autocast('cpu', torch.bfloat16):
        found = everything()
    for before, after in zip(expected, found, strict=True):
        assert after.dtype == torch.float32
        assert torch.equal(before, after)
