# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The residual module of Stacked Hourglass."""

from torch import Tensor, nn
from torch.nn import functional as F

from mmkp.models.layers.activation_checkpointing import recomputed
from mmkp.ops.batch_norm import BatchNorm2d


class PreActivationResidual(nn.Module):
    """Bottleneck that normalises before it convolves (Newell et al., section 3.2).

    BN, ReLU, 1x1 to half of the channels; BN, ReLU, 3x3; BN, ReLU, 1x1 to all of them;
    and the input itself, or a bare 1x1 convolution of it where the widths differ.

    Args:
        in_channels: channels C of the input.
        out_channels: channels D of the output, an even number.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        #: Whether the backward pass computes the main branch again, not keeping it.
        self.is_recomputed = False
        inner = out_channels // 2
        self.norm1 = BatchNorm2d(in_channels)
        self.convolution1 = nn.Conv2d(in_channels, inner, 1)
        self.norm2 = BatchNorm2d(inner)
        self.convolution2 = nn.Conv2d(inner, inner, 3, padding=1)
        self.norm3 = BatchNorm2d(inner)
        self.convolution3 = nn.Conv2d(inner, out_channels, 1)
        self.skip: nn.Conv2d | None = None
        if in_channels != out_channels:
            self.skip = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Compute (B, C, h, w) to (B, D, h, w)."""
        if self.is_recomputed and self.training:
            main = recomputed(self, self._main_branch, inputs)
        else:
            main = self._main_branch(inputs)
        return main + (inputs if self.skip is None else self.skip(inputs))

    def _main_branch(self, inputs: Tensor) -> Tensor:
        main = self.convolution1(F.relu(self.norm1(inputs), inplace=True))
        main = self.convolution2(F.relu(self.norm2(main), inplace=True))
        return self.convolution3(F.relu(self.norm3(main), inplace=True))


class Residuals(nn.Sequential):
    """Residual modules in a row, all of one width.

    Args:
        channels: of the input and the output.
        number: of residual modules.
    """

    def __init__(self, channels: int, number: int) -> None:
        super().__init__(
            *(PreActivationResidual(channels, channels) for _ in range(number))
        )
