# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Bilinear doubling of the size and a convolution, in one."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

# The band matrices grow with the side: below this ratio of channels to cells along a
# side they cost more than they save.
LEAST_CHANNELS_PER_CELL = 3


def doubled_convolution(
    inputs: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Double the size bilinearly, then convolve 3x3 with zero padding 1.

    Where that is faster, on the CPU with many channels, see
    :func:`channels_first_mixed`.

    Args:
        inputs (Tensor): (B, C, h, w) float.
        weight (Tensor): (O, C, 3, 3) float.
        bias (Tensor, optional): (O,) float.

    Returns:
        Tensor: (B, O, 2h, 2w) float.
    """
    channels, height, width = inputs.shape[1:]
    many = channels >= LEAST_CHANNELS_PER_CELL * max(height, width)
    if many and inputs.device.type == 'cpu':
        return channels_first_mixed(inputs, weight, bias)
    larger = F.interpolate(
        inputs, scale_factor=2.0, mode='bilinear', align_corners=False
    )
    return F.conv2d(larger, weight, bias, padding=1)


def channels_first_mixed(
    inputs: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Compute :func:`doubled_convolution` with a quarter of the multiplications.

    Doubling and mixing of channels are both linear and commute: the nine taps of the
    kernel become one matrix product on the small picture; doubling, shifting and adding
    up their results is a product with a constant band matrix along each axis.

    Args:
        inputs (Tensor): (B, C, h, w) float.
        weight (Tensor): (O, C, 3, 3) float.
        bias (Tensor, optional): (O,) float.

    Returns:
        Tensor: (B, O, 2h, 2w) float, in channels-last memory.
    """
    batch, channels, height, width = inputs.shape
    out = len(weight)
    pixels = inputs.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
    # Row of the kernel; input channel; column of the kernel, output channel.
    taps = weight.permute(2, 1, 3, 0).reshape(3, channels, 3 * out)
    mixed = torch.stack([pixels @ tap for tap in taps], dim=1)
    mixed = mixed.view(batch, 3 * height, width * 3 * out)
    rows = _doubling_matrix(height, mixed.dtype) @ mixed
    rows = rows.view(batch, 2 * height, width, 3, out).transpose(2, 3)
    rows = rows.reshape(batch, 2 * height, 3 * width, out)
    result = _doubling_matrix(width, mixed.dtype) @ rows
    if bias is not None:
        result = result + bias.to(result.dtype)
    return result.permute(0, 3, 1, 2)


@lru_cache(maxsize=64)
def _doubling_matrix(size: int, dtype: torch.dtype) -> Tensor:
    """Matrix (2n, 3n) that sums three doubled signals, shifted by -1, 0 and 1.

    Column block k holds the bilinear doubling of a signal of n cells, read at u + k - 1
    for the output cell u and zero outside, as the zero padding of a convolution wants.
    """
    # Kept for later calls, which may be of training: no inference tensor.
    with torch.inference_mode(False), torch.autocast('cpu', enabled=False):
        identity = torch.eye(size, dtype=torch.float64)[None]
        doubled = F.interpolate(
            identity, scale_factor=2.0, mode='linear', align_corners=False
        )
        doubled = doubled[0].T
        nothing = torch.zeros(1, size, dtype=torch.float64)
        before = torch.cat((nothing, doubled[:-1]))
        after = torch.cat((doubled[1:], nothing))
        return torch.cat((before, doubled, after), dim=1).to(dtype)
