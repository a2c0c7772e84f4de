import pytest
import torch
import torch.nn.functional as F

from mmkp.ops.doubled_convolution import channels_first_mixed, doubled_convolution


def reference(inputs, weight, bias):
    larger = F.interpolate(inputs, scale_factor=2, mode='bilinear', align_corners=False)
    return F.conv2d(larger, weight, bias, padding=1)


def arguments(batch, channels, out, height, width, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shapes = (batch, channels, height, width), (out, channels, 3, 3), (out,)
    return [torch.randn(s, generator=generator, dtype=dtype) for s in shapes]


@pytest.mark.parametrize('size', [(1, 1), (1, 4), (2, 3), (5, 4), (16, 16)])
def test_equals_doubling_and_convolving(size):
    inputs = [v.requires_grad_() for v in arguments(2, 3, 4, *size)]
    found, expected = channels_first_mixed(*inputs), reference(*inputs)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    upstream = torch.linspace(-1, 1, found.numel(), dtype=found.dtype)
    upstream = upstream.view(found.shape)
    torch.testing.assert_close(
        torch.autograd.grad(found, inputs, upstream),
        torch.autograd.grad(expected, inputs, upstream),
        rtol=0,
        atol=1e-11,
    )
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_float32_and_channels_last():
    inputs = arguments(2, 64, 8, 8, 8, torch.float32)
    expected = reference(*(v.double() for v in inputs)).float()
    torch.testing.assert_close(
        channels_first_mixed(*inputs), expected, rtol=0, atol=1e-4
    )
    inputs[:2] = [v.to(memory_format=torch.channels_last) for v in inputs[:2]]
    torch.testing.assert_close(
        channels_first_mixed(*inputs), expected, rtol=0, atol=1e-4
    )


def test_without_bias_and_under_autocast():
    inputs, weight, _ = arguments(1, 8, 4, 4, 4, torch.float32)
    exact = reference(inputs, weight, None)
    torch.testing.assert_close(channels_first_mixed(inputs, weight), exact)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = channels_first_mixed(inputs, weight)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), exact, rtol=0.05, atol=0.3)


def test_usable_for_training_after_inference_mode():
    inputs = [v.requires_grad_() for v in arguments(1, 2, 2, 7, 9)]
    with torch.inference_mode():
        channels_first_mixed(*inputs)
    channels_first_mixed(*inputs).sum().backward()
    assert all(torch.isfinite(v.grad).all() for v in inputs)


@pytest.mark.parametrize('channels', [2, 12])
def test_few_and_many_channels_agree(channels):
    inputs = arguments(1, channels, 2, 4, 3)
    found = doubled_convolution(*inputs)
    torch.testing.assert_close(found, reference(*inputs), rtol=0, atol=1e-12)
