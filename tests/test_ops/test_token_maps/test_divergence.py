# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Divergence of maps from Gaussians: closed forms, and the separable form."""

import math

import pytest
import torch

from mmkp.ops.token_maps.gaussian_divergence import gaussian_kl_divergence
from mmkp.ops.token_maps.localization_targets import peak_gaussians
from mmkp.ops.token_maps.separable_divergence import separable_kl_divergence

FORMS = gaussian_kl_divergence, separable_kl_divergence


def random_maps(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize('sigma', [0.3, 2.0, 40.0])
@pytest.mark.parametrize('epsilon', [1e-5, 0.1])
def test_separable_form_is_that_of_drawn_gaussians(sigma, epsilon):
    maps = 5 * random_maps(2, 6, 11, 14)
    # Peaks in corners and on an edge.
    maps[0, 0, 0, 0] = maps[0, 1, 10, 13] = maps[1, 2, 10, 4] = 9
    found = separable_kl_divergence(maps, sigma, epsilon)
    expected = gaussian_kl_divergence(maps, sigma, epsilon)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_formula_cell_by_cell():
    row = [0.1, 0.7, 0.2]
    gaussian = [math.exp(-1 / 8) + 1e-5, 1 + 1e-5, math.exp(-1 / 8) + 1e-5]
    expected = 0
    for value, height in zip(row, gaussian, strict=True):
        target = height / sum(gaussian)
        probability = math.exp(value) / sum(map(math.exp, row))
        expected += target * math.log(target / probability)
    found = gaussian_kl_divergence(torch.tensor([[[row]]], dtype=torch.float64))
    assert found.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize('divergence', FORMS)
def test_divergence_is_zero_for_the_logarithm_of_the_gaussian_alone(divergence):
    peak = torch.zeros(1, 1, 12, 9, dtype=torch.float64)
    peak[0, 0, 3, 5] = 1
    maps = (peak_gaussians(peak, 2.0) + 1e-5).log()
    torch.testing.assert_close(divergence(maps), torch.zeros(1, 1, dtype=torch.float64))
    assert divergence(maps, 1.9) > 1e-3


def test_divergence_does_not_change_with_where_the_peak_is():
    pair = torch.zeros(1, 2, 64, 64)
    pair[0, 0, 30, 25] = pair[0, 1, 34, 36] = 1
    maps = peak_gaussians(pair, 2.0)
    found = separable_kl_divergence(maps)
    assert found[0, 0] == pytest.approx(float(found[0, 1]), rel=1e-6)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_divergence_in_lower_precision(dtype):
    maps = random_maps(2, 5, 16, 16).to(dtype)
    found = separable_kl_divergence(maps)
    assert found.dtype == torch.float64
    expected = separable_kl_divergence(maps.double())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    with torch.autocast('cpu', torch.bfloat16):
        torch.testing.assert_close(separable_kl_divergence(maps), found)


@pytest.mark.parametrize('setting', [{'sigma': 0.0}, {'epsilon': -1e-5}])
def test_divergence_refuses_what_is_not_positive(setting):
    name, value = next(iter(setting.items()))
    with pytest.raises(ValueError, match=f'{name} is {value}, must be positive'):
        separable_kl_divergence(random_maps(1, 1, 4, 4), **setting)
