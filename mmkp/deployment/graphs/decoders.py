# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The decoding of codecs as modules: from what heads give to keypoints and scores."""

from typing import Any

import torch
from mmpose.codecs import (
    IntegralRegressionLabel,
    MegviiHeatmap,
    MSRAHeatmap,
    RegressionLabel,
    SimCCLabel,
    UDPHeatmap,
)
from torch import Tensor, nn

from mmkp.codecs import HourglassHeatmap
from mmkp.deployment.graphs.refinement import (
    GaussianBlur,
    line_maxima,
    line_steps,
    maxima,
    quarter_steps,
    taylor_steps,
    udp_steps,
)
from mmkp.ops.heatmaps.peaks import locate_maxima

Found = tuple[Tensor, Tensor]


class Scaled(nn.Module):
    """Positions in cells or shares to pixels of the network input.

    Args:
        factor: pixels of a unit, along x and y.
        offset: pixels that are added.
    """

    factor: Tensor
    offset: Tensor

    def __init__(self, factor: Any, offset: Any = (0.0, 0.0)) -> None:
        super().__init__()
        for name, pair in (('factor', factor), ('offset', offset)):
            numbers = torch.as_tensor(pair, dtype=torch.float32)
            self.register_buffer(name, numbers.expand(2).clone())

    def forward(self, positions: Tensor) -> Tensor:
        """Pixels (..., 2) of positions (..., 2)."""
        return positions * self.factor + self.offset


class HourglassDecoder(nn.Module):
    """Decode as :class:`HourglassHeatmap`: heatmaps (B, K, h, w) to (B, K, 2)."""

    def __init__(self, codec: HourglassHeatmap) -> None:
        super().__init__()
        self.pixels = Scaled(codec.scale_factor, (codec.scale_factor - 1) / 2)

    def forward(self, heatmaps: Tensor) -> Found:
        """Keypoints in pixels and scores (B, K)."""
        cells, scores = locate_maxima(heatmaps)
        return self.pixels(cells), scores


class MSRADecoder(nn.Module):
    """Decode as ``MSRAHeatmap``, with or without DARK (``unbiased``)."""

    def __init__(self, codec: MSRAHeatmap) -> None:
        super().__init__()
        self.blur = GaussianBlur(codec.blur_kernel_size) if codec.unbiased else None
        self.pixels = Scaled(codec.scale_factor)

    def forward(self, heatmaps: Tensor) -> Found:
        """Keypoints in pixels and scores (B, K)."""
        cells, scores = maxima(heatmaps)
        if self.blur is None:
            steps = quarter_steps(heatmaps, cells)
        else:
            steps = taylor_steps(self.blur(heatmaps), cells)
        return self.pixels(cells + steps), scores


class UDPDecoder(nn.Module):
    """Decode as ``UDPHeatmap``, Gaussian or combined with offsets."""

    def __init__(self, codec: UDPHeatmap) -> None:
        super().__init__()
        self.combined = codec.heatmap_type == 'combined'
        size = codec.blur_kernel_size
        if self.combined:
            self.blur = GaussianBlur(2 * size + 1, 'both', 'reflect', False)
            self.radius = codec.radius_factor * max(codec.heatmap_size)
        else:
            self.blur = GaussianBlur(size)
        sides = zip(codec.input_size, codec.heatmap_size, strict=True)
        self.pixels = Scaled([pixels / (cells - 1) for pixels, cells in sides])

    def forward(self, heatmaps: Tensor) -> Found:
        """Keypoints in pixels and scores (B, K)."""
        if not self.combined:
            cells, scores = maxima(heatmaps)
            steps = udp_steps(self.blur(heatmaps), cells)
            return self.pixels(cells + steps), scores
        cells, scores = maxima(self.blur(heatmaps[:, ::3]))
        width = heatmaps.shape[-1]
        index = (cells[..., 0] + cells[..., 1] * width).long()
        number, size = index.shape[1], heatmaps.shape[-1] * heatmaps.shape[-2]
        first = torch.arange(number, device=index.device) * size
        index = (index + first).remainder(number * size)  # -1 is NumPy's last
        offsets = [heatmaps[:, axis::3].flatten(1).gather(1, index) for axis in (1, 2)]
        steps = torch.stack(offsets, -1) * self.radius
        return self.pixels(cells + steps), scores


class MegviiDecoder(nn.Module):
    """Decode as ``MegviiHeatmap``."""

    def __init__(self, codec: MegviiHeatmap) -> None:
        super().__init__()
        self.blur = GaussianBlur(codec.kernel_size)
        self.pixels = Scaled(codec.scale_factor)

    def forward(self, heatmaps: Tensor) -> Found:
        """Keypoints in pixels and scores (B, K)."""
        blurred = self.blur(heatmaps)
        cells, scores = maxima(blurred)
        height, width = blurred.shape[-2:]
        x, y = cells.unbind(-1)
        inside = (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
        # Inside, the quarter steps of both codecs are the same.
        steps = torch.where(inside[..., None], quarter_steps(blurred, cells) + 0.5, 0.0)
        return self.pixels(cells + steps), scores / 255 + 0.5


class SimCCDecoder(nn.Module):
    """Decode as ``SimCCLabel``: lines (B, K, w), (B, K, h) to keypoints (B, K, 2)."""

    def __init__(self, codec: SimCCLabel) -> None:
        super().__init__()
        self.blurs = nn.ModuleList()
        if codec.use_dark:
            for sigma in codec.sigma:
                size = int((sigma * 20 - 7) // 3)
                self.blurs.append(GaussianBlur(size - (size % 2 == 0), 'x'))
        self.pixels = Scaled(1 / codec.simcc_split_ratio)

    def forward(self, lines: tuple[Tensor, Tensor]) -> Found:
        """Keypoints in pixels and scores (B, K)."""
        bins, heights = zip(*map(line_maxima, lines), strict=True)
        scores = torch.minimum(*heights)
        found = [torch.where(scores > 0, one, -1.0) for one in bins]
        for axis, blur in enumerate(self.blurs):
            blurred = blur(lines[axis][:, :, None])[:, :, 0]
            found[axis] = found[axis] + line_steps(blurred, found[axis])
        return self.pixels(torch.stack(found, -1)), scores


class CoordinateDecoder(nn.Module):
    """Decode as ``RegressionLabel``: shares (B, K, 2), or 4 with deviations."""

    def __init__(self, codec: RegressionLabel) -> None:
        super().__init__()
        self.pixels = Scaled(codec.input_size)

    def forward(self, coordinates: Tensor) -> Found:
        """Keypoints in pixels and scores (B, K)."""
        keypoints = self.pixels(coordinates[..., :2])
        if coordinates.shape[-1] == 2:
            return keypoints, torch.ones_like(coordinates[..., 0])
        return keypoints, (1 - coordinates[..., 2:4]).mean(-1)


_DECODERS: dict[type, type[nn.Module]] = {
    HourglassHeatmap: HourglassDecoder,
    MSRAHeatmap: MSRADecoder,
    UDPHeatmap: UDPDecoder,
    MegviiHeatmap: MegviiDecoder,
    SimCCLabel: SimCCDecoder,
    RegressionLabel: CoordinateDecoder,
}


def decoder_of(codec: Any) -> nn.Module:
    """The module that decodes as a codec.

    Args:
        codec: of a head, its ``decoder``.

    Returns:
        Module from what the head gives to keypoints (B, K, 2), pixels of the network
        input, and scores (B, K).

    Raises:
        TypeError: a codec that has no such module here.
    """
    if isinstance(codec, IntegralRegressionLabel):
        codec = codec.keypoint_codec
    # A class that is derived from one of these may decode otherwise.
    made = _DECODERS.get(type(codec))
    if made is None:
        known = ', '.join(sorted(one.__name__ for one in _DECODERS))
        raise TypeError(
            f'the codec {type(codec).__name__} has no decoding as a graph: exported '
            f'are {known} and IntegralRegressionLabel'
        )
    return made(codec)
