# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Candidates for keypoints of a batch of maps, as operations on tensors."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.precision import in_full_precision

# Of the maximum, which a neighbor counts as at least; see peaks.py.
_FLOOR = 0.01
# Peaks of a keypoint each of which is too near to the one before.
_LONGEST_CHAIN = 12


class BatchPeaks(NamedTuple):
    """P local maxima of the maps of B images.

    ``rows`` (P, 5) hold the image, the keypoint, x and y in cells, and the score, image
    by image, keypoint by keypoint and row by row; ``number`` (B, K) int64 says how many
    there are of each keypoint.
    """

    rows: Tensor
    number: Tensor


@in_full_precision
def batch_peaks(
    confidence_maps: Tensor, threshold: float, max_peaks: int, border: bool = True
) -> BatchPeaks:
    """Find local maxima by non-maximum suppression (CVPR'17, section 2.2).

    :func:`mmkp.ops.part_affinity.peaks.find_peaks` and ``highest_peaks`` for whole
    batches, without a loop, so that they become part of an exported graph.

    Args:
        confidence_maps: (B, K, h, w), finite.
        threshold: positive; lower maxima are left out.
        max_peaks: of a keypoint of an image, the highest are kept, of equal ones the
            first.
        border: whether the outermost cells can be maxima.

    Returns:
        The peaks, in the maps' dtype, at least float32.
    """
    maps = confidence_maps
    kept = _highest(maps, _are_maxima(maps, border) & (maps > threshold), max_peaks)
    image, keypoint, y, x = kept.nonzero().unbind(1)
    score = maps[image, keypoint, y, x]

    def beside(down: int, across: int) -> Tensor:
        """Logarithm of a neighbor's share of the maximum."""
        row = (y + down).clamp(min=0).minimum(torch.full_like(y, maps.shape[2] - 1))
        column = (
            (x + across).clamp(min=0).minimum(torch.full_like(x, maps.shape[3] - 1))
        )
        return _logarithm(maps[image, keypoint, row, column] / score)

    inside_x = (x > 0) & (x < maps.shape[3] - 1)
    inside_y = (y > 0) & (y < maps.shape[2] - 1)
    along_x = _top_of_parabola(beside(0, -1), beside(0, 1)) * inside_x
    along_y = _top_of_parabola(beside(-1, 0), beside(1, 0)) * inside_y
    rows = [image.to(maps), keypoint.to(maps), x + along_x, y + along_y, score]
    return BatchPeaks(torch.stack(rows, 1), kept.sum((2, 3)))


def thin_batch_peaks(peaks: BatchPeaks, distance: float) -> BatchPeaks:
    """Leave out peaks that are near an earlier one of the same keypoint and image.

    :func:`mmkp.ops.part_affinity.peaks.thinned_peaks` without its loop: whether a peak
    is kept follows from those before it, so each round settles one more of a chain of
    peaks that are near each other.

    Args:
        peaks: P peaks.
        distance: in cells, to what is kept.

    Returns:
        Those that are kept, in their order.
    """
    rows, keypoints = peaks.rows, peaks.number.shape[1]
    group = (rows[:, 0] * keypoints + rows[:, 1]).long()
    place = torch.arange(len(rows), device=rows.device)
    apart = (rows[:, None, 2:4] - rows[None, :, 2:4]).square().sum(2)
    near = (apart < distance * distance) & (group[:, None] == group)
    near &= place[:, None] > place
    kept = torch.ones_like(place, dtype=torch.bool)
    for _ in range(_LONGEST_CHAIN):
        kept = ~(near & kept).any(1)
    number = torch.zeros_like(peaks.number).flatten()
    number = number.scatter_add(0, group, kept.long()).view_as(peaks.number)
    return BatchPeaks(rows[kept.nonzero()[:, 0]], number)


def _are_maxima(maps: Tensor, border: bool) -> Tensor:
    """Which cells no neighbor exceeds, and none before them equals; positive ones."""
    height, width = maps.shape[2:]
    padded = F.pad(maps, (1, 1, 1, 1))
    before = [
        padded[:, :, j : j + height, i : i + width]
        for j, i in ((0, 0), (0, 1), (0, 2), (1, 0))
    ]
    first = torch.stack(before).amax(0) < maps
    maxima = first & (F.max_pool2d(maps, 3, 1, 1) == maps)
    if border:
        return maxima
    rows = torch.arange(height, device=maps.device)[:, None]
    columns = torch.arange(width, device=maps.device)
    inside = (rows > 0) & (rows < height - 1) & (columns > 0) & (columns < width - 1)
    return maxima & inside


def _highest(maps: Tensor, maxima: Tensor, number: int) -> Tensor:
    """The highest maxima of each map; of equal ones the first in reading order."""
    values = (maps * maxima).flatten(2)
    least = F.pad(values, (0, number)).topk(number, 2).values[..., -1:]
    above = values > least
    equal = (values == least) & maxima.flatten(2)
    free = number - above.sum(2, keepdim=True)
    return (above | (equal & (equal.cumsum(2) <= free))).unflatten(2, maps.shape[2:])


def _top_of_parabola(below: Tensor, above: Tensor) -> Tensor:
    """Where between two neighbors the logarithms have their top, in cells."""
    curvature = below + above
    curvature = torch.where(curvature < -1e-6, curvature, -1.0)
    return 0.5 * (below - above) / curvature


def _logarithm(ratio: Tensor) -> Tensor:
    """Pade's approximation, as the compiled code has it."""
    ratio = ratio.clamp(min=_FLOOR)
    z = (ratio - 1) / (ratio + 1)
    square = z * z
    return 2 * z * (15 - 4 * square) / (15 - 9 * square)
