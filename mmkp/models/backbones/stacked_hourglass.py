# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Stacked Hourglass as Newell built it, heatmaps fed back between the stacks."""

from collections import OrderedDict
from typing import Any

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from mmkp.models.layers.activation_checkpointing import recomputed
from mmkp.models.layers.residual import PreActivationResidual, Residuals
from mmkp.ops.arguments import one_of
from mmkp.ops.batch_norm import BatchNorm2d

STEMS = ('newell', 'bearpaw')
CHECKPOINTING = ('none', 'residual', 'stack')


@MODELS.register_module()
class StackedHourglass(BaseModule):
    """Stacked Hourglass (Newell, Yang, Deng, ECCV 2016, section 3).

    A stem shrinks the image; each hourglass halves its input ``order`` times and joins
    all sizes on the way back; each stack predicts heatmaps from its features, and both
    are added to the input of the next one. MMPose's ``HourglassNet``, CornerNet's
    network, hands on features only.

    Any size of the image will do: halving rounds up, and what comes back is cut to the
    size of the branch that it is added to.

    Args:
        num_stacks: N.
        num_keypoints: K, one for each keypoint. None predicts none: a network of
            features, for heads of other kinds and for unsupervised models.
        order: halvings of an hourglass.
        channels: width f of all that follows the stem.
        num_residuals: residual modules at each place, those of the stem excepted.
        stem: which residual of the stem widens: 'newell' (s, 2s, 2s, f for the stem's
            width s), or 'bearpaw' (s, 2s, 4s, f), as in the port of that name.
        stem_channels: width s of the first convolution; 64 in the paper.
        stem_stride: pixels of the image for each cell of a map: 4 as in the paper, 2
            without the stem's pooling, or 1.
        feature_feedback: whether the next stack sees the features. Off to compare.
        heatmap_feedback: whether the next stack sees the heatmaps. Off to compare.
        in_channels: channels of the image.
        checkpointing: what is computed again in the backward pass to save memory:
            'none', the inside of each 'residual' module, or each 'stack' and the stem.
        channels_last: keep maps and weights in channels-last memory, which is faster
            on CPUs and, with AMP, on GPUs; results differ by rounding only.
        init_cfg: as in MMEngine; by default torch's own start, like the author's.

    Raises:
        ValueError: an argument that cannot be used.
    """

    def __init__(
        self,
        num_stacks: int = 8,
        num_keypoints: int | None = 16,
        order: int = 4,
        channels: int = 256,
        num_residuals: int = 1,
        stem: str = 'newell',
        stem_channels: int = 64,
        stem_stride: int = 4,
        feature_feedback: bool = True,
        heatmap_feedback: bool = True,
        in_channels: int = 3,
        checkpointing: str = 'none',
        channels_last: bool = True,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        one_of('stem', stem, STEMS)
        one_of('checkpointing', checkpointing, CHECKPOINTING)
        one_of('stem_stride', stem_stride, (1, 2, 4))
        counts = dict(
            num_stacks=num_stacks,
            order=order,
            num_residuals=num_residuals,
            num_keypoints=1 if num_keypoints is None else num_keypoints,
            in_channels=in_channels,
        )
        for name, value in counts.items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f'{name} must be a whole number from 1, got {value!r}')
        for name, value in dict(channels=channels, stem_channels=stem_channels).items():
            if not isinstance(value, int) or value < 2 or value % 2:
                raise ValueError(
                    f'{name} must be an even number from 2, as residual modules work '
                    f'at half of their width, got {value!r}'
                )
        self.num_stacks = num_stacks
        self.num_keypoints = num_keypoints
        self.checkpointing = checkpointing
        self.memory_format = (
            torch.channels_last if channels_last else torch.contiguous_format
        )
        self.stem = _Stem(in_channels, stem_channels, channels, stem, stem_stride)
        feeds_heatmaps = heatmap_feedback and num_keypoints is not None
        self.stacks = nn.ModuleList(
            _Stack(
                channels,
                order,
                num_residuals,
                num_keypoints,
                feeds_features=feature_feedback and index + 1 < num_stacks,
                feeds_heatmaps=feeds_heatmaps and index + 1 < num_stacks,
            )
            for index in range(num_stacks)
        )
        for module in self.modules():
            if isinstance(module, PreActivationResidual):
                module.is_recomputed = checkpointing == 'residual'
        self.to(memory_format=self.memory_format)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Compute the heatmaps and the features of every stack.

        Args:
            inputs: images, (B, C, H, W); the author's networks take RGB from 0 to 1.

        Returns:
            N heatmaps (B, K, h, w), linear, then N features (B, f, h, w), where h is
            H / 4, rounded up, at the paper's ``stem_stride``. Features only where there
            are no heatmaps. A head of MMPose, which reads the last map, gets the
            features of the last stack.
        """
        maps = inputs.contiguous(memory_format=self.memory_format)
        maps = self._run(self.stem, maps)
        heatmaps, features = [], []
        for stack in self.stacks:
            found, feature, maps = self._run(stack, maps)
            heatmaps.append(found)
            features.append(feature)
        if self.num_keypoints is None:
            return tuple(features)
        return *heatmaps, *features

    def _run(self, module: nn.Module, maps: Tensor) -> Any:
        if self.checkpointing == 'stack' and self.training:
            return recomputed(module, module, maps)
        return module(maps)


class _Stem(nn.Module):
    """From the image to the input of the first hourglass."""

    def __init__(
        self, in_channels: int, width: int, channels: int, kind: str, stride: int
    ) -> None:
        super().__init__()
        middle = (2 if kind == 'newell' else 4) * width
        # Once the convolution, once the pooling.
        self.is_pooled = stride == 4
        self.convolution = nn.Conv2d(
            in_channels, width, 7, stride=min(stride, 2), padding=3
        )
        self.norm = BatchNorm2d(width)
        self.residual1 = PreActivationResidual(width, 2 * width)
        self.residual2 = PreActivationResidual(2 * width, middle)
        self.residual3 = PreActivationResidual(middle, channels)

    def forward(self, inputs: Tensor) -> Tensor:
        maps = F.relu(self.norm(self.convolution(inputs)), inplace=True)
        maps = self.residual1(maps)
        if self.is_pooled:
            maps = F.max_pool2d(maps, 2, ceil_mode=True)
        return self.residual3(self.residual2(maps))


class _Hourglass(nn.Module):
    """One level: a branch at this size, and one at half of it with all inner levels."""

    def __init__(self, order: int, channels: int, number: int) -> None:
        super().__init__()
        self.up = Residuals(channels, number)
        self.down = Residuals(channels, number)
        self.inner: nn.Module
        if order > 1:
            self.inner = _Hourglass(order - 1, channels, number)
        else:
            self.inner = Residuals(channels, number)
        self.out = Residuals(channels, number)

    def forward(self, inputs: Tensor) -> Tensor:
        branch = self.up(inputs)
        low = self.down(F.max_pool2d(inputs, 2, ceil_mode=True))
        low = self.out(self.inner(low))
        # Of an odd size the last cell is half a cell: exact doubling, then a cut.
        return branch + F.interpolate(low, branch.shape[-2:], mode='nearest')


class _Stack(nn.Module):
    """An hourglass, its predictions, and what the next one gets of them."""

    def __init__(
        self,
        channels: int,
        order: int,
        num_residuals: int,
        num_keypoints: int | None,
        feeds_features: bool,
        feeds_heatmaps: bool,
    ) -> None:
        super().__init__()
        self.hourglass = _Hourglass(order, channels, num_residuals)
        self.residuals = Residuals(channels, num_residuals)
        self.linear = nn.Sequential(
            OrderedDict(
                convolution=nn.Conv2d(channels, channels, 1),
                norm=BatchNorm2d(channels),
                activation=nn.ReLU(inplace=True),
            )
        )
        self.heatmap_convolution: nn.Conv2d | None = None
        self.feature_feedback: nn.Conv2d | None = None
        self.heatmap_feedback: nn.Conv2d | None = None
        if num_keypoints is not None:
            self.heatmap_convolution = nn.Conv2d(channels, num_keypoints, 1)
        if feeds_features:
            self.feature_feedback = nn.Conv2d(channels, channels, 1)
        if feeds_heatmaps and num_keypoints is not None:
            self.heatmap_feedback = nn.Conv2d(num_keypoints, channels, 1)

    def forward(self, inputs: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        """Return heatmaps, features and the input of the next stack."""
        features = self.linear(self.residuals(self.hourglass(inputs)))
        heatmaps, following = None, inputs
        if self.heatmap_convolution is not None:
            heatmaps = self.heatmap_convolution(features)
        if self.feature_feedback is not None:
            following = inputs + self.feature_feedback(features)
        if self.heatmap_feedback is not None:
            following = following + self.heatmap_feedback(heatmaps)
        return heatmaps, features, following
