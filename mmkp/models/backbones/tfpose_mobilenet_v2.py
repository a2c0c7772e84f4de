# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The MobileNetV2 of tf-pose, with features of strides 8 and 16."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpose.models.backbones.utils import make_divisible
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.layers.image_batch_norm import ImageBatchNorm2d
from mmkp.models.layers.initialization import FAN_IN_INIT
from mmkp.models.layers.tf_convolution import ConvolutionLayer, in_fast_layout

#: (channels at width 1, stride) of expanded_conv, expanded_conv_1 .. expanded_conv_12.
_BLOCKS = (
    (16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1),
    (64, 1), (96, 1), (96, 1), (96, 1),
)  # fmt: skip
_STEM_CHANNELS = 32
_EXPANSION = 6
#: Index of the last block of stride 8.
_STRIDE_8 = 5


def channel_plan(widen_factor: float) -> list[int]:
    """Channels of the first convolution and of each block's output.

    Args:
        widen_factor: factor for the numbers of channels.

    Returns:
        14 numbers, multiples of 8.
    """
    channels = (_STEM_CHANNELS, *(block[0] for block in _BLOCKS))
    return [make_divisible(base * widen_factor, 8, 8) for base in channels]


def double_size(inputs: Tensor) -> Tensor:
    """Bilinear resize to twice the size as TensorFlow 1 does by default.

    Output pixel i lies at i / 2 of the input: its even pixels are the input's, the
    odd ones lie halfway between two, and beyond the last pixel is the last pixel.

    Args:
        inputs: (B, C, h, w).

    Returns:
        (B, C, 2h, 2w).
    """
    height, width = inputs.shape[-2:]
    padded = F.pad(inputs, (0, 1, 0, 1), mode='replicate')
    size = (2 * height + 1, 2 * width + 1)
    resized = F.interpolate(padded, size, mode='bilinear', align_corners=True)
    return resized[..., :-1, :-1]


class InvertedResidual(nn.Module):
    """Block of MobileNetV2 with 'SAME' padding.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; with stride 1 and equal channels the
            input is added.
        stride: of the depthwise convolution, in pixels.
        expand: whether a 1x1 convolution widens the input sixfold first.
        norm_cfg: as in :class:`ConvolutionLayer`.
        kernel_size: side of the depthwise kernel in pixels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        expand: bool,
        norm_cfg: dict | None,
        kernel_size: int = 3,
    ) -> None:
        super().__init__()
        channels = in_channels * _EXPANSION if expand else in_channels
        self.expand = (
            ConvolutionLayer(
                in_channels, channels, norm_cfg=norm_cfg, activation='relu6'
            )
            if expand
            else None
        )
        self.depthwise = ConvolutionLayer(
            channels, channels, kernel_size, stride, channels, norm_cfg, 'relu6'
        )
        self.project = ConvolutionLayer(
            channels, out_channels, norm_cfg=norm_cfg, activation=None
        )
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, O, ceil(H / stride), ceil(W / stride))."""
        outputs = inputs if self.expand is None else self.expand(inputs)
        outputs = self.project(self.depthwise(outputs))
        return inputs + outputs if self.residual else outputs


@MODELS.register_module()
class TFPoseMobileNetV2(BaseModule):
    """Backbone ``mobilenet_v2`` of tf-pose and of PINTO's trained networks.

    MobileNetV2 (Sandler et al., 2018, table 2) through its thirteenth block; the last
    output of stride 8 and the last of all, resized to twice its size, are
    concatenated. The released weights expect raw BGR pixels of 0..255.

    Args:
        widen_factor: factor for the numbers of channels.
        norm_cfg: normalisation after each convolution, e.g.
            ``dict(type='BN', eps=1e-3)``; None means biases, as in weights with
            folded normalisation.
        batch_statistics: normalise each picture by its own statistics in evaluation
            as well, as tf-pose's ``mobilenet_v2_small`` does; its normalisation
            stores none. Needs a ``norm_cfg`` of type BN.
        init_cfg: as in MMEngine. By default layers keep the variance of what passes
            through them.

    Raises:
        ValueError: ``batch_statistics`` without batch normalisation.
    """

    def __init__(
        self,
        widen_factor: float = 1.0,
        norm_cfg: dict | None = None,
        batch_statistics: bool = False,
        init_cfg: dict | list[dict] | None = FAN_IN_INIT,
    ) -> None:
        super().__init__(init_cfg)
        if batch_statistics:
            if not norm_cfg or norm_cfg.get('type') not in ('BN', 'BN2d'):
                raise ValueError(
                    'batch_statistics=True needs batch normalisation, e.g. '
                    f"norm_cfg=dict(type='BN'), got norm_cfg={norm_cfg}"
                )
            norm_cfg = {**norm_cfg, 'type': ImageBatchNorm2d}
        channels, *plan = channel_plan(widen_factor)
        self.stem = ConvolutionLayer(
            3, channels, 3, stride=2, norm_cfg=norm_cfg, activation='relu6'
        )
        self.blocks = nn.ModuleList()
        for index, outputs in enumerate(plan):
            stride = _BLOCKS[index][1]
            self.blocks.append(
                InvertedResidual(channels, outputs, stride, index > 0, norm_cfg)
            )
            channels = outputs

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Extract features.

        Args:
            inputs: raw BGR pictures of 0..255, (B, 3, H, W).

        Returns:
            One map, (B, C, ceil(H / 8), ceil(W / 8)); C is 128 at width 1.
        """
        outputs = self.stem(in_fast_layout(inputs))
        for index, block in enumerate(self.blocks):
            outputs = block(outputs)
            if index == _STRIDE_8:
                fine = outputs
        height, width = fine.shape[-2:]
        coarse = double_size(outputs)[..., :height, :width]
        return (torch.cat((fine, coarse), 1),)
