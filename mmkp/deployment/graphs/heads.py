# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What MMPose's heads compute for a prediction, a mirrored image included."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmpose.models.heads import (
    CPMHead,
    HeatmapHead,
    IntegralRegressionHead,
    MSPNHead,
    RegressionHead,
    RLEHead,
    RTMCCHead,
    SimCCHead,
    ViPNASHead,
)
from mmpose.models.utils.tta import flip_heatmaps, flip_vectors
from torch import Tensor, nn

Settings = Mapping[str, Any]


class HeatmapOutputs:
    """Heatmaps (B, C, h, w) of any head that makes them, the last stack's."""

    heads: tuple[Any, ...] = (HeatmapHead, ViPNASHead, CPMHead, MSPNHead)

    def __init__(self, head: Any, settings: Settings) -> None:
        self.head, self.settings = head, settings

    def __call__(self, features: Sequence[Tensor]) -> Tensor:
        """What the head makes of features."""
        found = self.head(features)
        return found if isinstance(found, Tensor) else found[-1]

    def averaged(self, both: Tensor, flip_indices: list[int]) -> Tensor:
        """Mean of the outputs for images and for mirrored images, (2 B, ...)."""
        plain, mirrored = _halves(both)
        mode = self.settings.get('flip_mode', 'heatmap')
        mirrored = flip_heatmaps(mirrored, flip_indices, mode, shift_heatmap=False)
        if self.settings.get('shift_heatmap', False):
            mirrored = torch.cat((mirrored[..., :1], mirrored[..., :-1]), -1)
        return (plain + mirrored) * 0.5


class SimCCOutputs(HeatmapOutputs):
    """Lines along x and y, (B, K, w) and (B, K, h)."""

    heads = (SimCCHead, RTMCCHead)

    def __call__(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """What the head makes of features."""
        x, y = self.head(features)
        return x, y

    def averaged(  # type: ignore[override]
        self, both: tuple[Tensor, Tensor], flip_indices: list[int]
    ) -> tuple[Tensor, Tensor]:
        """Mean of the outputs for images and for mirrored images."""
        plain, mirrored = zip(*map(_halves, both), strict=True)
        x, y = flip_vectors(*mirrored, flip_indices=flip_indices)
        return (plain[0] + x) * 0.5, (plain[1] + y) * 0.5


class CoordinateOutputs(HeatmapOutputs):
    """Shares of the input (B, K, 2), or (B, K, 4) with their deviations."""

    heads = (RegressionHead, IntegralRegressionHead, RLEHead)

    def __call__(self, features: Sequence[Tensor]) -> Tensor:
        """What the head makes of features."""
        found = self.head(features)
        shares: Tensor = found[0] if isinstance(found, tuple) else found
        if isinstance(self.head, RLEHead):
            return torch.cat((shares[..., :2], shares[..., 2:].sigmoid()), -1)
        return shares

    def averaged(self, both: Tensor, flip_indices: list[int]) -> Tensor:
        """Mean of the outputs for images and for mirrored images."""
        plain, mirrored = _halves(both)
        x = 1 - mirrored[..., :1]
        if self.settings.get('shift_coords', True):
            codec = self.head.decoder
            codec = getattr(codec, 'keypoint_codec', codec)
            x = x - 1 / codec.input_size[0]
        mirrored = torch.cat((x, mirrored[..., 1:]), -1)[:, flip_indices]
        return (plain + mirrored) * 0.5


def _halves(both: Tensor) -> tuple[Tensor, Tensor]:
    """Of images and of mirrored images; ``chunk`` would tie a graph to their number."""
    number = both.shape[0] // 2
    return both[:number], both[number:]


def outputs_of(head: nn.Module, settings: Settings) -> HeatmapOutputs:
    """How a head's prediction begins.

    Args:
        head: of a top-down estimator.
        settings: its ``test_cfg``.

    Returns:
        A function of the features, with the mean over mirrored images.

    Raises:
        TypeError: a head that is not known.
    """
    kinds = (HeatmapOutputs, SimCCOutputs, CoordinateOutputs)
    for kind in kinds:
        predicts = {vars(one).get('predict') for one in kind.heads}
        if isinstance(head, kind.heads) and _known(head, predicts):
            return kind(head, settings)
    known = ', '.join(one.__name__ for kind in kinds for one in kind.heads)
    raise TypeError(
        f'the head {type(head).__name__} cannot become a graph: exported are those of '
        f'discovery models, StackedHourglassHead, {known}'
    )


def _known(head: nn.Module, predicts: set[Any]) -> bool:
    """Whether a derived head predicts as its base does; ours differ in extras only."""
    kind: Any = type(head)
    return kind.predict in predicts or kind.__module__.startswith('mmkp.')
