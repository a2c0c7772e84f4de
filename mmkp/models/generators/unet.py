"""The U-Net that turns a masked image and an edge map into the whole image."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmkp.ops.batch_norm import BatchNorm2d
from mmkp.ops.doubled_convolution import doubled_convolution


class _Down(nn.Sequential):
    """Conv, BN, LeakyReLU, conv, BN, x0.5, LeakyReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            BatchNorm2d(out_channels),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            BatchNorm2d(out_channels),
            nn.AvgPool2d(2),
            nn.LeakyReLU(0.2, inplace=True),
        )


class _Up(nn.Module):
    """x2 to the size asked for, then twice conv, BN, LeakyReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            BatchNorm2d(out_channels),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            BatchNorm2d(out_channels),
            nn.LeakyReLU(0.2, inplace=True),
        )

    def forward(self, inputs: Tensor, size: Sequence[int]) -> Tensor:
        """Map (B, C, h, w) to (B, O, *size)."""
        first, *others = self.layers
        assert isinstance(first, nn.Conv2d)  # for the type checker
        if tuple(size) == tuple(2 * side for side in inputs.shape[-2:]):
            outputs = doubled_convolution(inputs, first.weight, first.bias)
        else:
            upsampled = F.interpolate(
                inputs, size=tuple(size), mode='bilinear', align_corners=False
            )
            outputs = first(upsampled)
        for layer in others:
            outputs = layer(outputs)
        return outputs


class UNet(nn.Module):
    """U-Net of AutoLink's decoder (appendix of the paper), at any image size.

    Args:
        in_channels: channels of the input.
        channels: channels at full size and after each halving; AutoLink's are
            (64, 128, 256, 512, 512).
    """

    def __init__(self, in_channels: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, channels[0], 3, padding=1)
        self.down = nn.ModuleList(_Down(*pair) for pair in pairwise(channels))
        skips = channels[-2::-1]
        inputs = [channels[-1], *(2 * width for width in skips[:-1])]
        self.up = nn.ModuleList(_Up(*pair) for pair in zip(inputs, skips, strict=True))
        self.final_layer = nn.Conv2d(2 * channels[0], 3, 3, padding=1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 3, H, W), without an activation."""
        features = [F.leaky_relu(self.stem(inputs), 0.2)]
        for down in self.down:
            features.append(down(features[-1]))
        decoded = features.pop()
        for up in self.up:
            skip = features.pop()
            decoded = torch.cat((up(decoded, skip.shape[-2:]), skip), dim=1)
        return self.final_layer(decoded)
