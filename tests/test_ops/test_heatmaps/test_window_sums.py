"""Sums over windows equal those of pooling, with their gradients."""

import pytest
import torch
import torch.nn.functional as F

from mmkp.ops.heatmaps.window_sums import window_sums


@pytest.mark.parametrize('window', [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize('padded', [False, True])
def test_equal_to_pooling(window, padded):
    generator = torch.Generator().manual_seed(0)
    maps = torch.rand(2, 3, 7, 9, generator=generator).double().requires_grad_()
    source = F.pad(maps, (window - 1,) * 4) if padded else maps
    expected = F.avg_pool2d(source, window, 1, divisor_override=1)
    found = window_sums(maps, window, padded)
    torch.testing.assert_close(found, expected)
    upstream = torch.rand(expected.shape, generator=generator).double()
    wanted, gradient = (
        torch.autograd.grad(result, maps, upstream) for result in (expected, found)
    )
    torch.testing.assert_close(gradient, wanted)


def test_gradients_are_exact():
    maps = torch.rand(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    for padded in (False, True):
        assert torch.autograd.gradcheck(lambda m: window_sums(m, 3, padded), maps)  # noqa: B023
        assert torch.autograd.gradgradcheck(  # noqa: B023
            lambda m: window_sums(m, 3, padded).square(),  # noqa: B023
            maps,
        )


def test_channels_last_maps_are_summed_too():
    maps = torch.rand(2, 3, 7, 9).contiguous(memory_format=torch.channels_last)
    expected = 9 * F.avg_pool2d(maps, 3, 1)
    torch.testing.assert_close(window_sums(maps, 3), expected)
