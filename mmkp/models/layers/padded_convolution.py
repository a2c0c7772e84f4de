# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convolutions that say what surrounds the image, and their start."""

from torch import nn

PADDINGS = ('zeros', 'reflect', 'valid')


def padded_convolution(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    padding: str,
    bias: bool = True,
) -> nn.Conv2d:
    """Build a convolution with stride 1.

    Args:
        in_channels: channels of its input.
        out_channels: channels of its output.
        kernel_size: side of its filters, odd, so that a cell has a middle.
        padding: ``'zeros'`` or ``'reflect'``, which keep the size; ``'valid'``, no
            padding, which takes ``kernel_size - 1`` cells off along each axis.
        bias: whether it has a constant term.

    Returns:
        The convolution.

    Raises:
        ValueError: unknown ``padding``, or an even or non-positive kernel size.
    """
    if padding not in PADDINGS:
        raise ValueError(f'padding must be one of {PADDINGS}, got {padding!r}')
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f'kernel_size must be odd and positive, got {kernel_size}')
    return nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        padding=0 if padding == 'valid' else kernel_size // 2,
        padding_mode='reflect' if padding == 'reflect' else 'zeros',
        bias=bias,
    )


def normal_convolutions(module: nn.Module, std: float) -> None:
    """Normally distributed weights and zero biases in every convolution.

    Args:
        module: every ``nn.Conv2d`` in it is initialised in place.
        std: standard deviation of the weights.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
