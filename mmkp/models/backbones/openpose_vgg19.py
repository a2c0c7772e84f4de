# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The first ten convolutions of VGG19 and OpenPose's two."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.converters.shape_check import check_shapes
from mmkp.converters.vgg19 import check_input, convert_vgg19
from mmkp.models.layers.initialization import FAN_IN_INIT
from mmkp.ops.arguments import one_of

#: Convolutions in each of VGG19's first four blocks; pooling is between the blocks.
_BLOCKS = (2, 2, 4, 2)
_FIRST_PRELU = 'conv4_2'


@MODELS.register_module()
class OpenPoseVGG19(BaseModule):
    """Image features F of OpenPose (Cao et al., CVPR 2017 and TPAMI 2019, section 3).

    VGG19's conv1_1 .. conv4_2 and, to narrow their output, conv4_3_CPM and
    conv4_4_CPM: 3x3 convolutions with biases and without normalisation, 2x2 max
    pooling after conv1_2, conv2_2 and conv3_4. Layers have the official names.

    Args:
        activation: ``'relu'`` (COCO-18 and MPI networks), or ``'prelu'``: a slope for
            each channel from conv4_2 on and ReLU before (BODY_25).
        channels: channels of VGG19's four blocks.
        narrow_channels: channels of conv4_3_CPM and conv4_4_CPM.
        vgg19_weights: torchvision's VGG19 to start conv1_1 .. conv4_2 from: a file or
            ``'torchvision://vgg19'``. None starts them at random.
        vgg19_input: what the data preprocessor delivers, to which those weights are
            adapted: ``'openpose'`` for BGR / 256 - 0.5 (mean 128, std 256), or
            ``'imagenet'`` for RGB less ImageNet's mean, divided by its deviation.
        init_cfg: as in MMEngine, of the layers that do not start from VGG19. By default
            they keep the variance of what passes through them; the official two new
            layers started from ``dict(type='Normal', layer='Conv2d', std=0.01)``.

    Raises:
        ValueError: an unknown ``activation`` or ``vgg19_input``, or weights from both
            ``vgg19_weights`` and ``init_cfg``.
    """

    def __init__(
        self,
        activation: str = 'relu',
        channels: Sequence[int] = (64, 128, 256, 512),
        narrow_channels: Sequence[int] = (256, 128),
        vgg19_weights: str | None = None,
        vgg19_input: str = 'openpose',
        init_cfg: dict | list[dict] | None = FAN_IN_INIT,
    ) -> None:
        super().__init__(init_cfg)
        one_of('activation of OpenPoseVGG19', activation, ('relu', 'prelu'))
        check_input(vgg19_input)
        init_cfgs = init_cfg if isinstance(init_cfg, list) else [init_cfg or {}]
        if vgg19_weights and any(c.get('type') == 'Pretrained' for c in init_cfgs):
            raise ValueError(
                f'OpenPoseVGG19 has weights from both vgg19_weights={vgg19_weights!r} '
                f'and init_cfg={init_cfg}; drop one of them'
            )
        self.vgg19_weights = vgg19_weights
        self.channels = tuple(channels)
        self.vgg19_input = vgg19_input
        self.layers = nn.Sequential(
            _make_layers(activation == 'prelu', channels, narrow_channels)
        )
        self.out_channels = narrow_channels[1]

    def init_weights(self) -> None:
        """Start at random, and from torchvision's VGG19 where that is given.

        Raises:
            ValueError: ``vgg19_weights`` are of another network.
        """
        is_first_call = not self.is_init
        super().init_weights()
        if self.vgg19_weights and is_first_call:
            loaded = CheckpointLoader.load_checkpoint(self.vgg19_weights, 'cpu')
            try:
                self._load_vgg19(convert_vgg19(loaded, self.vgg19_input))
            except ValueError as error:
                raise ValueError(
                    f'vgg19_weights={self.vgg19_weights!r} do not fit: {error}'
                ) from error

    def _load_vgg19(self, weights: Mapping[str, Tensor]) -> None:
        own = self.layers.state_dict()
        check_shapes(
            weights,
            {name: own[name] for name in weights},
            f'OpenPoseVGG19 of channels={self.channels}',
            "leave out channels, torchvision's VGG19 has the usual ones",
        )
        self.layers.load_state_dict(weights, strict=False)

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Compute image features.

        Args:
            inputs: images, shape (B, 3, H, W), BGR / 256 - 0.5 in official networks.

        Returns:
            One map at stride 8, shape (B, 128, H // 8, W // 8).
        """
        return (self.layers(inputs),)


def _make_layers(
    prelu: bool, channels: Sequence[int], narrow_channels: Sequence[int]
) -> OrderedDict[str, nn.Module]:
    """Layers under the official names, in order."""
    names, outputs_of_layers = [], []
    for block, (length, width) in enumerate(zip(_BLOCKS, channels, strict=True), 1):
        names += [f'{block}_{i}' for i in range(1, length + 1)] + [f'pool{block}']
        outputs_of_layers += [width] * (length + 1)
    # OpenPose's own layers take the place of the last pooling.
    names[-1:] = ['4_3_CPM', '4_4_CPM']
    outputs_of_layers[-1:] = narrow_channels

    layers: OrderedDict[str, nn.Module] = OrderedDict()
    inputs, slopes = 3, False
    for name, outputs in zip(names, outputs_of_layers, strict=True):
        if name.startswith('pool'):
            layers[name] = nn.MaxPool2d(2)
            continue
        layers[f'conv{name}'] = nn.Conv2d(inputs, outputs, 3, padding=1)
        slopes = slopes or (prelu and f'conv{name}' == _FIRST_PRELU)
        if slopes:
            layers[f'prelu{name}'] = nn.PReLU(outputs)
        else:
            layers[f'relu{name}'] = nn.ReLU(True)
        inputs = outputs
    return layers
