# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The light hourglass from which all networks of LMDIS are made."""

from collections.abc import Sequence

import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.layers.normalized_convolution import NormalizedConvolution
from mmkp.ops.arguments import one_of

Widths = Sequence[Sequence[int]]


@MODELS.register_module()
class LMDISHourglass(BaseModule):
    """Encoder and decoder of plain convolutions, joined by chains of convolutions.

    LMDIS (Zhang et al., CVPR 2018): the detector, the network of the descriptors and
    the image decoder are this network with other widths; the defaults are the
    detector's. Each level of the encoder ends with a 2x2 maximum. The first level of
    the decoder works at the size of the bottleneck; before each further one the maps
    are doubled by repetition and a skip is added, a chain of convolutions of what the
    encoder had at that size. Every convolution is 3x3 with batch normalisation and
    leaky ReLU.

    Any size of the image will do: halving rounds up, and what comes back is cut to the
    size of the skip.

    Args:
        in_channels: channels of the image.
        encoder: widths of the convolutions of each level, from large to small maps.
        bottleneck: widths of those on the smallest maps.
        decoder: widths of each level, from small to large maps; at most one level more
            than the encoder has, with fewer the result is smaller than the image.
        skip_convolutions: length of the skips' chains; with 0 the encoder's map is
            added as it is.
        stem_stride: 2 halves the image in the first convolution already; 1 in the
            paper.
        final_activation: whether the last convolution has its leaky ReLU.
        norm_momentum: share of a batch in the update of running statistics. 3e-4 as
            released, for 2e5 steps; short trainings need more.
        init_cfg: as in MMEngine; by default Xavier-uniform.

    Raises:
        ValueError: widths from which no such network can be built.
    """

    def __init__(
        self,
        in_channels: int = 3,
        encoder: Widths = ((32, 32), (64, 64), (64, 64)),
        bottleneck: Sequence[int] = (64, 64),
        decoder: Widths = ((64, 64), (64, 64), (64, 32), (32,)),
        skip_convolutions: int = 3,
        stem_stride: int = 1,
        final_activation: bool = True,
        norm_momentum: float = 3e-4,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        _check_widths(encoder, bottleneck, decoder)
        one_of('stem_stride', stem_stride, (1, 2))
        if skip_convolutions < 0:
            raise ValueError(
                f'skip_convolutions must be at least 0, got {skip_convolutions}'
            )

        def chain(
            inputs: int, widths: Sequence[int], stride: int = 1
        ) -> list[NormalizedConvolution]:
            layers = []
            for width in widths:
                layer = NormalizedConvolution(
                    inputs, width, stride=stride, norm_momentum=norm_momentum
                )
                layers.append(layer)
                inputs, stride = width, 1
            return layers

        width = in_channels
        encoded: list[int] = []
        self.encoder = nn.ModuleList()
        for widths in encoder:
            stride = 1 if encoded else stem_stride
            self.encoder.append(nn.Sequential(*chain(width, widths, stride)))
            width = widths[-1]
            encoded.append(width)
        self.bottleneck = nn.Sequential(*chain(width, bottleneck))
        width = (width, *bottleneck)[-1]
        self.decoder, self.skips = nn.ModuleList(), nn.ModuleList()
        last: list[NormalizedConvolution] = []
        for level, widths in enumerate(decoder):
            if level:
                inputs = encoded.pop()
                if not skip_convolutions and inputs != width:
                    raise ValueError(
                        f'a skip of {inputs} channels cannot be added to {width} of '
                        f'decoder level {level} without convolutions: set '
                        'skip_convolutions to 1 or more'
                    )
                skip = chain(inputs, (width,) * skip_convolutions)
                self.skips.append(nn.Sequential(*skip))
            last = chain(width, widths)
            self.decoder.append(nn.Sequential(*last))
            width = (width, *widths)[-1]
        self.out_channels = width
        if not final_activation:
            if not last:
                raise ValueError(
                    'final_activation=False needs a convolution in the last decoder '
                    f'level, got {decoder}'
                )
            last[-1].activation = False

    def init_weights(self) -> None:
        """Start anew, Xavier-uniform, or from ``init_cfg`` when it names weights."""
        for module in self.modules():
            if isinstance(module, NormalizedConvolution):
                module.reset_parameters()
        super().init_weights()

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Compute the features.

        Args:
            inputs: images or maps, shape (B, C, H, W).

        Returns:
            One feature map, shape (B, out_channels, h, w), h = H / stem_stride where
            the decoder has one level more than the encoder.
        """
        maps, encoded = inputs, []
        for level in self.encoder:
            maps = level(maps)
            encoded.append(maps)
            maps = F.max_pool2d(maps, 2, ceil_mode=True)
        maps = self.decoder[0](self.bottleneck(maps))
        for skip, level in zip(self.skips, list(self.decoder)[1:], strict=True):
            joined = skip(encoded.pop())
            height, width = joined.shape[-2:]
            doubled = F.interpolate(maps, scale_factor=2, mode='nearest')
            maps = level(doubled[..., :height, :width] + joined)
        return (maps,)


def _check_widths(encoder: Widths, bottleneck: Sequence[int], decoder: Widths) -> None:
    """Refuse widths from which no network can be built, in a sentence."""
    if not encoder or not all(len(widths) for widths in encoder):
        raise ValueError(f'encoder needs a convolution in each level, got {encoder}')
    if not 1 <= len(decoder) <= len(encoder) + 1:
        raise ValueError(
            f'decoder has {len(decoder)} levels for {len(encoder)} of the encoder: '
            f'give 1 to {len(encoder) + 1}'
        )
    widths = [*bottleneck, *(w for level in (*encoder, *decoder) for w in level)]
    if not all(isinstance(width, int) and width > 0 for width in widths):
        raise ValueError(f'widths must be whole numbers from 1, got {widths}')
