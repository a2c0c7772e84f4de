# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The MobileNet of Lightweight OpenPose."""

from typing import Any

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.layers.initialization import FAN_IN_INIT
from mmkp.ops.arguments import one_of
from mmkp.ops.batch_norm import BatchNorm2d

#: Output channels, stride and dilation of each separable layer, conv2_1 .. conv5_5.
_LAYERS = (
    (64, 1, 1),
    (128, 2, 1),
    (128, 1, 1),
    (256, 2, 1),
    (256, 1, 1),
    (512, 1, 1),
    (512, 1, 2),
    *[(512, 1, 1)] * 4,
)


def convolution_bn_relu(
    inputs: int, outputs: int, kernel_size: int = 3, **options: Any
) -> list[nn.Module]:
    """Convolution without bias, batch normalisation, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel_size, bias=False, **options)
    return [convolution, BatchNorm2d(outputs), nn.ReLU(True)]


def separable(inputs: int, outputs: int, stride: int, dilation: int) -> nn.Sequential:
    """Depthwise 3x3 and 1x1 convolution, each with batch normalisation and ReLU."""
    return nn.Sequential(
        *convolution_bn_relu(
            inputs,
            inputs,
            stride=stride,
            padding=dilation,
            dilation=dilation,
            groups=inputs,
        ),
        *convolution_bn_relu(inputs, outputs, 1),
    )


@MODELS.register_module()
class LightweightMobileNetV1(BaseModule):
    """MobileNetV1 up to conv5_5, at stride 8 (Osokin, 2018, section 3.1).

    A 3x3 convolution and eleven separable layers. MobileNet's fourth halving (in
    conv4_2) is left out and conv5_1, which follows it, is dilated by 2 instead.

    Args:
        widen_factor: factor on all channels, which are rounded to multiples of 8.
        out_stride: input pixels to one cell of the output, 8 or 4. At stride 4, for
            small figures, the halving in conv3_2 is left out too and all depthwise
            layers behind it are dilated twice as much: every second row and column of
            the output equals that at stride 8, weights fit both, and layers from
            conv3_2 on cost four times as much.
        init_cfg: as in MMEngine. By default convolutions keep the variance of what
            passes through them.

    Raises:
        ValueError: another stride, or a width of zero or less.
    """

    def __init__(
        self,
        widen_factor: float = 1.0,
        out_stride: int = 8,
        init_cfg: dict | list[dict] | None = FAN_IN_INIT,
    ) -> None:
        super().__init__(init_cfg)
        one_of('out_stride of LightweightMobileNetV1', out_stride, (4, 8))
        if widen_factor <= 0:
            raise ValueError(
                f'LightweightMobileNetV1 needs widen_factor > 0, got {widen_factor}'
            )

        def scaled(channels: int) -> int:
            return max(8, round(channels * widen_factor / 8) * 8)

        inputs = scaled(32)
        layers = [nn.Sequential(*convolution_bn_relu(3, inputs, stride=2, padding=1))]
        reached, widened = 2, 1
        for channels, stride, dilation in _LAYERS:
            dilation = dilation * widened
            if reached * stride > out_stride:
                # The layer itself still sees its old neighbours; those behind it are
                # twice as many cells away.
                widened, stride = widened * stride, 1
            layers.append(separable(inputs, scaled(channels), stride, dilation))
            inputs, reached = scaled(channels), reached * stride
        self.layers = nn.Sequential(*layers)
        self.out_channels = inputs

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Compute image features.

        Args:
            inputs: images, shape (B, 3, H, W), (BGR - 128) / 256 in the official
                network.

        Returns:
            One map, shape (B, 512 * widen_factor, ceil(H / out_stride),
            ceil(W / out_stride)).
        """
        return (self.layers(inputs),)
