# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The network of Thewlis et al. (ICCV 2017), up to its last layer."""

from collections.abc import Sequence
from itertools import pairwise

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.layers.padded_convolution import (
    normal_convolutions,
    padded_convolution,
)
from mmkp.ops.batch_norm import BatchNorm2d


@MODELS.register_module()
class ThewlisNet(BaseModule):
    """Convolutions of 5x5 with 20, 48, 64, 80 and 256 filters (Thewlis, section 4).

    Each is followed by batch normalisation and ReLU, and the first one by a 2x2
    maximum pooling. The sixth, with K filters, is the last layer of the head:
    ``SoftArgmaxHead(in_channels=256, upsample_channels=(), kernel_size=5,
    padding=..., final_norm=True)``.

    Without padding an input of 128 pixels becomes a map of 46 cells, 42 after the
    head, the first of which looks at pixel 22.5 and the next 2 pixels further; any
    larger input fits as well. With reflection cells lie as the head's
    ``alignment='cell_centers'`` has them. Zero padding is left out: landmarks stick to
    its border.

    Args:
        channels: filters of each convolution.
        kernel_size: side of the filters, odd.
        padding: ``'valid'``, none, as published, or ``'reflect'``.
        init_std: standard deviation of the normal weights at the start.
        in_channels: channels of the image.
        init_cfg: as in MMEngine.

    Raises:
        ValueError: no channels, an unknown ``padding``, or an even kernel.
    """

    def __init__(
        self,
        channels: Sequence[int] = (20, 48, 64, 80, 256),
        kernel_size: int = 5,
        padding: str = 'valid',
        init_std: float = 0.02,
        in_channels: int = 3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not channels:
            raise ValueError('ThewlisNet needs at least one width, got none')
        if padding not in ('valid', 'reflect'):
            raise ValueError(f"padding must be 'valid' or 'reflect', got {padding!r}")
        self.padding = padding
        self.kernel_size = kernel_size
        self.init_std = init_std
        blocks = [
            nn.Sequential(
                # A bias would vanish in the normalisation.
                padded_convolution(*pair, kernel_size, padding, bias=False),
                BatchNorm2d(pair[1]),
                nn.ReLU(inplace=True),
            )
            for pair in pairwise((in_channels, *channels))
        ]
        self.blocks = nn.ModuleList(blocks)
        self.pool = nn.MaxPool2d(2)

    def init_weights(self) -> None:
        """Start from normal weights, or from ``init_cfg`` when it names weights."""
        normal_convolutions(self, self.init_std)
        super().init_weights()

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Compute the feature map.

        Args:
            inputs: network input, shape (B, 3, H, W).

        Returns:
            One feature map, shape (B, channels[-1], h, w).

        Raises:
            ValueError: the input is smaller than what one cell looks at.
        """
        smallest = self.smallest_input
        if min(inputs.shape[-2:]) < smallest:
            raise ValueError(
                f'input of {inputs.shape[-1]} x {inputs.shape[-2]} pixels is too '
                f'small for ThewlisNet: it needs at least {smallest} a side'
            )
        features = self.pool(self.blocks[0](inputs))
        for block in list(self.blocks)[1:]:
            features = block(features)
        return (features,)

    @property
    def smallest_input(self) -> int:
        """Least height and width in pixels that the layers can work on."""
        if self.padding == 'reflect':  # mirrored cells have to exist
            return 2 * (self.kernel_size // 2 + 1)
        taken = self.kernel_size - 1
        return taken + 2 * (1 + taken * (len(self.blocks) - 1))
