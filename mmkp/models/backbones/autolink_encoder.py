"""The convolutional encoder of AutoLink's keypoint detector."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.ops.batch_norm import BatchNorm2d


def halved_convolution(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """3x3 convolution followed by 2x2 averaging, as one strided convolution.

    Both steps are linear, so averaging four shifted copies of the kernel gives
    the same result with 16 instead of 36 multiplications an output pixel.

    Args:
        inputs: feature maps, shape (B, C, H, W).
        weight: kernel of the 3x3 convolution with padding 1, (O, C, 3, 3).
        bias: shape (O,).

    Returns:
        Feature maps of half the size (rounded down), (B, O, H // 2, W // 2).
    """
    shifted = [F.pad(weight, (x, 1 - x, y, 1 - y)) for y in (0, 1) for x in (0, 1)]
    averaged = torch.stack(shifted).mean(0)
    return F.conv2d(inputs, averaged, bias, stride=2, padding=1)


class HalvingResidualBlock(nn.Module):
    """Residual block that halves the size of its input.

    main: conv 3x3, x0.5, BN, LeakyReLU, conv 3x3, BN; skip: conv 3x3, x0.5, BN;
    LeakyReLU of the sum. Bilinear x0.5 without aligned corners is the mean of
    2x2 pixels, and the two branches start from the same input: their first
    convolutions run as one (see :func:`halved_convolution`).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.bn1 = BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.bn2 = BatchNorm2d(out_channels)
        self.skip_conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.skip_bn = BatchNorm2d(out_channels)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, O, H // 2, W // 2)."""
        weight = torch.cat((self.conv1.weight, self.skip_conv.weight))
        biases = [layer.bias for layer in (self.conv1, self.skip_conv)]
        bias = torch.cat([b for b in biases if b is not None])
        main, skip = halved_convolution(inputs, weight, bias).chunk(2, dim=1)
        main = F.leaky_relu(self.bn1(main), 0.2)
        main = self.bn2(self.conv2(main))
        return F.leaky_relu(main + self.skip_bn(skip), 0.2)


def initialize_convolutions(module: nn.Module, negative_slope: float = 0.2) -> None:
    """Kaiming-normal weights for LeakyReLU and zero biases, as AutoLink starts.

    Args:
        module: every ``nn.Conv2d`` in it is initialised in place.
        negative_slope: slope of the LeakyReLU.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=negative_slope)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


@MODELS.register_module()
class AutoLinkEncoder(BaseModule):
    """Encoder of AutoLink's detector (He et al., NeurIPS 2022, section 3.1).

    A chain of residual blocks, each halving the size: 128 -> 8 with the four
    default channels.

    Args:
        channels: output channels of each block.
        in_channels: channels of the image.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: no channels.
    """

    def __init__(
        self,
        channels: Sequence[int] = (64, 128, 256, 512),
        in_channels: int = 3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not channels:
            raise ValueError('AutoLinkEncoder needs at least one width, got none')
        channels = (in_channels, *channels)
        self.blocks = nn.Sequential(
            *(HalvingResidualBlock(*pair) for pair in pairwise(channels))
        )

    def init_weights(self) -> None:
        """Start as AutoLink does, or from ``init_cfg`` when it names weights."""
        initialize_convolutions(self)
        super().init_weights()

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Encode images.

        Args:
            inputs: network input, shape (B, 3, H, W).

        Returns:
            One feature map, shape (B, channels[-1], H / 2^n, W / 2^n).
        """
        return (self.blocks(inputs),)
