"""Local maxima of heatmaps on their own grid, placed between its cells."""

from typing import Any, NamedTuple

import numpy as np
import torch

from mmkp.ops.part_affinity.arrays import double, like, nonzero, to_numpy, where

# A neighbour counts as at least this share of the maximum, so that a background of
# nothing (or less) beside a peak does not decide where it lies.
_FLOOR = 0.01


class Peaks(NamedTuple):
    """Local maxima of C maps, by map and then row by row.

    ``channel`` (P,) int64 is the map, ``x`` and ``y`` (P,) float64 the place in cells,
    ``score`` (P,) float64 the value of the cell. Arrays or tensors.
    """

    channel: Any
    x: Any
    y: Any
    score: Any


def find_peaks(maps: Any, threshold: float, border: bool = True) -> Peaks:
    """Find local maxima and place them by the parabola through logarithms.

    A cell is a maximum if none of its eight neighbours exceeds it; of equal ones the
    first counts. The parabola is exact for a Gaussian. On the border there is no second
    neighbour, so the peak stays in the middle of its cell along that axis. NaN is no
    evidence: it neither is a maximum nor prevents one.

    Args:
        maps: (C, h, w) float32, array or tensor on any device.
        threshold: positive; lower maxima are left out.
        border: whether the outermost cells can be maxima. In maps enlarged bicubically
            they cannot: they undershoot beside a peak, so that what is cut off at the
            border rises towards it.

    Returns:
        The peaks, of the same kind as ``maps``.
    """
    if isinstance(maps, torch.Tensor):
        padded: Any = torch.nn.functional.pad(maps, (1, 1, 1, 1), value=-torch.inf)
    else:
        channels, height, width = maps.shape
        padded = np.full((channels, height + 2, width + 2), -np.inf, maps.dtype)
        padded[:, 1:-1, 1:-1] = maps
    height, width = maps.shape[-2:]
    row = width + 2
    flat = padded.reshape(-1)
    high = padded > threshold
    if not border:
        high[:, [1, -2]] = False
        high[:, :, [1, -2]] = False
    index = nonzero(high.reshape(-1))
    value = flat[index]
    for before, after in (
        (-1, 1),
        (-row, row),
        (-row - 1, row + 1),
        (1 - row, row - 1),
    ):
        keep = ~((flat[index + before] >= value) | (flat[index + after] > value))
        index, value = index[keep], value[keep]
    score = double(value)
    cell = (height + 2) * row
    channel = index // cell
    inside = index - channel * cell
    line = inside // row
    x, y = inside - line * row - 1, line - 1
    offset_x, offset_y = _offsets(flat, index, row, score)
    return Peaks(
        channel,
        x + (x > 0) * (x < width - 1) * offset_x,
        y + (y > 0) * (y < height - 1) * offset_y,
        score,
    )


def _offsets(flat: Any, index: Any, row: int, score: Any) -> Any:
    """Where between its neighbours each parabola has its top, (2, P) in cells."""
    steps = like(np.array([[-1], [-row], [1], [row]]), flat)
    ratio = double(flat[index + steps]) / score
    ratio = where(ratio > _FLOOR, ratio, _FLOOR)
    z = (ratio - 1) / (ratio + 1)
    square = z * z
    # Pade's approximation of the logarithm: the same bits on every device.
    logarithms = 2 * z * (15 - 4 * square) / (15 - 9 * square)
    before, after = logarithms[:2], logarithms[2:]
    curvature = before + after
    curvature = where(curvature < -1e-6, curvature, -1.0)
    return 0.5 * (before - after) / curvature


def highest_peaks(peaks: Peaks, number: int) -> Peaks:
    """Keep the highest peaks of each map, of equal ones the first.

    Args:
        peaks: P peaks.
        number: how many of a map are kept.

    Returns:
        The peaks that are kept, in their order.
    """
    if len(peaks.x) <= number:
        return peaks
    channel, score = to_numpy(peaks.channel), to_numpy(peaks.score)
    order = np.lexsort((-score, channel))
    first = np.searchsorted(channel, channel)
    kept = np.sort(order[np.arange(len(order)) - first < number])
    if len(kept) == len(order):
        return peaks
    return Peaks(*(values[like(kept, peaks.x)] for values in peaks))


def thinned_peaks(peaks: Peaks, distance: float) -> Peaks:
    """Leave out peaks that are near an earlier one of the same map.

    Args:
        peaks: P peaks.
        distance: in cells.

    Returns:
        The peaks that are kept, in their order.
    """
    channel, x, y = (to_numpy(v).tolist() for v in peaks[:3])
    kept: list[int] = []
    for p in range(len(x)):
        near = any(
            channel[q] == channel[p]
            and (x[p] - x[q]) ** 2 + (y[p] - y[q]) ** 2 < distance**2
            for q in kept
        )
        if not near:
            kept.append(p)
    index = like(np.array(kept, np.int64), peaks.x)
    return Peaks(*(values[index] for values in peaks))
