# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Maps against a Gaussian at their own peak, summed cell by cell."""

import math

import pytest
import torch
from mmpose.registry import MODELS

from mmkp.models.losses import LocalizationLoss
from mmkp.ops.token_maps.localization_targets import peak_gaussians


def random_maps(seed=0, shape=(2, 3, 6, 7)):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def written_out(maps, sigma):
    total = 0.0
    for map_ in maps.flatten(0, 1):
        height, width = map_.shape
        row, column = divmod(int(map_.argmax()), width)
        for y in range(height):
            for x in range(width):
                squared = (x - column) ** 2 + (y - row) ** 2
                gaussian = math.exp(-squared / (2 * sigma**2))
                total += (float(map_[y, x]) - gaussian) ** 2
    return total / maps.numel()


@pytest.mark.parametrize('sigma', [0.7, 2.0])
def test_the_loss_is_the_mean_squared_difference(sigma):
    maps = random_maps()
    loss = LocalizationLoss(sigma, loss_weight=3.0)(maps)
    assert float(loss) == pytest.approx(3 * written_out(maps, sigma), rel=1e-12)


def test_the_published_settings_are_the_defaults():
    maps = random_maps()
    loss = MODELS.build({'type': 'LocalizationLoss'})
    assert loss.inputs == ('token_maps',)
    assert float(loss(maps)) == pytest.approx(100 * written_out(maps, 2.0), rel=1e-12)


def test_gaussians_of_peak_1_and_of_the_right_width_have_no_loss():
    wanted = peak_gaussians(random_maps(), 2.0)
    loss = LocalizationLoss()
    assert loss(wanted) == 0
    assert loss(wanted / 2) > 0.1
    assert loss(peak_gaussians(wanted, 1.0)) > 0.1


def test_both_views_count_alike():
    loss = LocalizationLoss(both_views=True)
    assert loss.inputs == ('token_maps', 'warped_token_maps')
    first, second = random_maps(0), random_maps(1)
    one = LocalizationLoss()
    expected = (one(first) + one(second)) / 2
    assert float(loss(first, second)) == pytest.approx(float(expected), rel=1e-12)
    assert float(loss(first, second)) != pytest.approx(float(one(first)), rel=1e-3)


def test_the_gradient_is_that_towards_fixed_gaussians():
    maps = random_maps().requires_grad_()
    loss = LocalizationLoss(loss_weight=1.0)
    (found,) = torch.autograd.grad(loss(maps), maps)
    expected = 2 * (maps - peak_gaussians(maps, 2.0)).detach() / maps.numel()
    torch.testing.assert_close(found, expected)


def test_half_precision_maps_give_a_loss_in_float32():
    maps = random_maps().half().requires_grad_()
    loss = LocalizationLoss()(maps)
    assert loss.dtype == torch.float32
    expected = LocalizationLoss()(maps.detach().double())
    assert float(loss.detach()) == pytest.approx(float(expected), rel=1e-6)
    loss.backward()
    assert maps.grad.isfinite().all()


@pytest.mark.parametrize('sigma', [0.0, -2.0])
def test_a_width_that_is_not_positive_is_refused(sigma):
    with pytest.raises(ValueError, match=f'sigma must be positive, got {sigma}'):
        LocalizationLoss(sigma)
