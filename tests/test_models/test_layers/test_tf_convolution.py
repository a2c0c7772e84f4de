"""Convolutions with TensorFlow's padding, against sums written out."""

from math import ceil

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmkp.models.layers.image_batch_norm import ImageBatchNorm2d
from mmkp.models.layers.tf_convolution import (
    ConvolutionLayer,
    SameConv2d,
    SeparableConvolution,
    in_fast_layout,
    same_padding,
)
from mmkp.ops.batch_norm import BatchNorm2d


@pytest.mark.parametrize(
    ('size', 'kernel_size', 'stride', 'expected'),
    [
        (8, 3, 1, (1, 1)),
        (7, 3, 1, (1, 1)),
        (8, 3, 2, (0, 1)),  # even: only at the end
        (7, 3, 2, (1, 1)),
        (1, 3, 2, (1, 1)),
        (8, 1, 2, (0, 0)),
        (7, 2, 2, (0, 1)),
        (9, 5, 3, (1, 1)),
        (10, 5, 3, (2, 2)),
        (8, 4, 1, (1, 2)),
    ],
)
def test_same_padding(size, kernel_size, stride, expected):
    assert same_padding(size, kernel_size, stride) == expected


def direct(inputs, weight, stride):
    """TensorFlow's definition, pixel by pixel; (C, H, W) and (O, C, k, k)."""
    outputs, _, size, _ = weight.shape
    shape = inputs.shape[1:]
    starts = [max((ceil(n / stride) - 1) * stride + size - n, 0) // 2 for n in shape]
    result = np.zeros((outputs, *(ceil(n / stride) for n in shape)))
    for _, i, j in np.ndindex(1, *result.shape[1:]):
        for a, b in np.ndindex(size, size):
            y, x = i * stride + a - starts[0], j * stride + b - starts[1]
            if 0 <= y < shape[0] and 0 <= x < shape[1]:
                result[:, i, j] += weight[:, :, a, b] @ inputs[:, y, x]
    return result


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('kernel_size', [1, 2, 3])
@pytest.mark.parametrize('shape', [(8, 6), (7, 5), (8, 5), (5, 8), (1, 2)])
def test_convolution_against_its_definition(shape, kernel_size, stride):
    torch.manual_seed(0)
    layer = SameConv2d(3, 4, kernel_size, stride, bias=False).double()
    inputs = torch.randn(1, 3, *shape, dtype=torch.float64)
    found = layer(inputs)[0].detach().numpy()
    expected = direct(inputs[0].numpy(), layer.weight.detach().numpy(), stride)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_separable_layer_is_two_convolutions():
    torch.manual_seed(0)
    layer = SeparableConvolution(4, 5, 3, stride=2)
    inputs = torch.randn(2, 4, 9, 8)
    depthwise = F.conv2d(
        F.pad(inputs, (0, 1, 1, 1)), layer.depthwise.weight, stride=2, groups=4
    )
    conv = layer.pointwise.conv
    expected = F.relu(F.conv2d(depthwise, conv.weight, conv.bias))
    torch.testing.assert_close(layer(inputs), expected)


def test_factors_of_channels_are_merged_into_the_kernel():
    torch.manual_seed(0)
    layer = SeparableConvolution(4, 5, 1, is_output=True).double()
    inputs = torch.randn(2, 4, 3, 2, dtype=torch.float64)
    separately = layer.pointwise(layer.depthwise(inputs))
    torch.testing.assert_close(layer(inputs), separately)
    ours = torch.autograd.grad(layer(inputs).square().sum(), layer.parameters())
    expected = torch.autograd.grad(separately.square().sum(), layer.parameters())
    assert len(ours) == 3
    for a, b in zip(ours, expected, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize('kernel_size', [1, 3])
def test_gradients(kernel_size):
    torch.manual_seed(0)
    layer = SeparableConvolution(2, 3, kernel_size, 2, is_output=True).double()
    inputs = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (inputs,))


def test_norm_replaces_the_bias():
    layer = ConvolutionLayer(2, 3, norm_cfg=dict(type='BN', eps=1e-3))
    assert layer.conv.bias is None
    assert type(layer.norm) is BatchNorm2d and layer.norm.eps == 1e-3
    assert isinstance(
        ConvolutionLayer(2, 4, norm_cfg=dict(type='GN', num_groups=2)).norm,
        nn.GroupNorm,
    )
    plain = ConvolutionLayer(2, 3, activation=None)
    assert plain.norm is None and plain.conv.bias is not None
    assert plain(torch.randn(1, 2, 3, 3)).min() < 0


def test_layout_does_not_change_values():
    torch.manual_seed(0)
    layer = SeparableConvolution(16, 8, 3, stride=2, norm_cfg=dict(type='BN'))
    inputs = torch.randn(2, 16, 9, 12)
    fast = in_fast_layout(inputs)
    assert fast.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(fast, inputs)
    layer.eval()
    torch.testing.assert_close(layer(fast), layer(inputs))
    assert layer(fast).is_contiguous(memory_format=torch.channels_last)


def test_batch_norm_of_single_pictures():
    torch.manual_seed(0)
    layer = ImageBatchNorm2d(3, eps=1e-3)
    nn.init.uniform_(layer.weight)
    nn.init.uniform_(layer.bias)
    inputs = torch.randn(2, 3, 5, 4) + torch.arange(2)[:, None, None, None]
    assert set(layer.state_dict()) == {'weight', 'bias'}

    def expected(batch):
        return F.batch_norm(
            batch, None, None, layer.weight, layer.bias, training=True, eps=1e-3
        )

    torch.testing.assert_close(layer(inputs), expected(inputs))
    layer.eval()
    each = torch.cat([expected(picture) for picture in inputs.split(1)])
    torch.testing.assert_close(layer(inputs), each)
    assert not torch.allclose(each, expected(inputs), atol=1e-2)
