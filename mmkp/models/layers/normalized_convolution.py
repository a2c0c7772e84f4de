# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Convolution, batch normalisation and leaky ReLU as one layer."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmkp.ops.batch_norm import BatchNorm2d


class NormalizedConvolution(nn.Module):
    """Convolution 3x3, batch normalisation and, unless switched off, leaky ReLU.

    The layer of LMDIS (Zhang et al., CVPR 2018): eps 1e-3, slope 0.2, Xavier-uniform
    start. The normalisation removes any bias, so there is none.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        activation: whether the leaky ReLU follows.
        stride: of the convolution.
        norm_momentum: share of a batch in the update of the running statistics.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        activation: bool = True,
        stride: int = 1,
        norm_momentum: float = 3e-4,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            in_channels, out_channels, 3, stride, padding=1, bias=False
        )
        self.norm = BatchNorm2d(out_channels, eps=1e-3, momentum=norm_momentum)
        self.activation = activation
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start anew, Xavier-uniform."""
        nn.init.xavier_uniform_(self.convolution.weight)
        self.norm.reset_parameters()

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, O, H / stride, W / stride), rounded up."""
        outputs = self.norm(self.convolution(inputs))
        if not self.activation:
            return outputs
        return F.leaky_relu(outputs, 0.2, inplace=True)
